"""Measures `nearby` of Bottle and of its peers, in turns."""

import json
from contextlib import ExitStack
from dataclasses import dataclass, field

from . import servers, wrk
from .servers import ROCKET, Server
from .tools import HELPER, LOAD, WORK, median_ratio, say


@dataclass
class Peer:
    """A server that handles the same requests, with its samples."""

    name: str
    server: Server
    requests: object
    samples: list = field(default_factory=list)

    def rates(self):
        return [sample.rate for sample in self.samples]


def measure(db, rectangles, found, options, after=None):
    """Returns the peers with their samples, Bottle first. `after` is called with Bottle's server still running."""
    with ExitStack() as stack:
        server = stack.enter_context(servers.bottle(db))
        cookie = servers.log_in(server)
        peers = [Peer("Bottle", server, rectangles.requests)]
        peers += start_peers(stack, db, rectangles, found, typical(server, rectangles, cookie))
        for peer in peers:
            if not peer.name.startswith("bare"):
                check_same(server, peer, rectangles, cookie)
            wrk.drive(peer.server, peer.requests, cookie, seconds=1)
        for turn in range(options.rounds):
            say(f"  round {turn + 1} of {options.rounds}")
            # Each round starts with a different server.
            first = turn % len(peers)
            for peer in peers[first:] + peers[:first]:
                sample = wrk.drive(peer.server, peer.requests, cookie, options.seconds)
                peer.samples.append(sample)
        return peers, after and after(peers[0], cookie)


def typical(server, rectangles, cookie):
    """Writes a response of median length to a file, for the peers that respond from memory."""
    answers = [ask(server, path, cookie) for path in rectangles.paths[:25]]
    path = WORK / "answer.json"
    path.write_bytes(sorted(answers, key=len)[len(answers) // 2])
    return path


def ask(server, path, cookie):
    status, _, body = server.ask("GET", path, headers={"Cookie": cookie})
    if status != 200:
        raise RuntimeError(f"{path} returned {status}: {body[:300]!r}")
    return body


def start_peers(stack, db, rectangles, found, answer):
    def start(command, **options):
        return stack.enter_context(Server(command, **options))

    bare = start([HELPER, "bare", db, answer], env=ROCKET)
    plain = wrk.file_of("plain", [("GET", "/plain")])
    peers = [
        Peer("bare Rocket, same bytes from memory", bare, plain),
        Peer("bare Rocket, cookie decrypted", bare, rectangles.requests),
        Peer("axum + rusqlite", start([HELPER, "axum", db, "{port}"]), rectangles.requests),
        Peer(
            "axum + rusqlite, one runtime per core",
            start([HELPER, "axum", db, "{port}", "--per-core"]),
            rectangles.requests,
        ),
    ]
    if folder := found["fastify"]:
        server = start(["node", "server.js", db, "{port}", "2"], cwd=folder)
        name = "Fastify + better-sqlite3, 2 processes"
        peers.append(Peer(name, server, rectangles.requests))
    if folder := found["fastapi"]:
        server = fastapi(start, folder, db)
        peers.append(Peer("FastAPI + uvicorn, 2 workers", server, rectangles.requests))
    return peers


def fastapi(start, folder, db):
    command = [folder / "bin" / "uvicorn", "server:app", "--host", "127.0.0.1", "--port", "{port}"]
    command += ["--workers", "2", "--no-access-log", "--log-level", "warning"]
    return start(command, env={"BOTTLE_DB": db, "PYTHONDONTWRITEBYTECODE": 1}, cwd=LOAD / "fastapi")


def check_same(server, peer, rectangles, cookie):
    """Fails unless the peer returns the same data: a peer that does less work would be faster for it."""
    for path in rectangles.paths[:5]:
        ours, theirs = (json.loads(ask(s, path, cookie)) for s in (server, peer.server))
        if ours != theirs:
            raise RuntimeError(f"{peer.name} and Bottle return different data for {path}")


def against(peers, name):
    """Returns Bottle's rate divided by that peer's, or None if the peer is missing."""
    peer = next((peer for peer in peers if peer.name.startswith(name)), None)
    return peer and median_ratio(peers[0].rates(), peer.rates())
