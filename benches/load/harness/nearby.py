"""`nearby` of Bottle beside its peers, in turns."""

import json
from contextlib import ExitStack
from dataclasses import dataclass, field

from . import servers, wrk
from .servers import ROCKET, Server
from .tools import HELPER, LOAD, WORK, median_ratio, say


@dataclass
class Peer:
    """A server that answers the same requests, and what was measured of it."""

    name: str
    server: Server
    requests: object
    samples: list = field(default_factory=list)

    def rates(self):
        return [sample.rate for sample in self.samples]


def measure(db, rectangles, found, options, after=None):
    """The peers with their samples, Bottle first. `after` may go on with Bottle's server."""
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
            # Another one begins each time.
            first = turn % len(peers)
            for peer in peers[first:] + peers[:first]:
                sample = wrk.drive(peer.server, peer.requests, cookie, options.seconds)
                peer.samples.append(sample)
        return peers, after and after(peers[0], cookie)


def typical(server, rectangles, cookie):
    """A file with an answer of middling length, for the peers that answer from memory."""
    answers = [ask(server, path, cookie) for path in rectangles.paths[:25]]
    path = WORK / "answer.json"
    path.write_bytes(sorted(answers, key=len)[len(answers) // 2])
    return path


def ask(server, path, cookie):
    status, _, body = server.ask("GET", path, headers={"Cookie": cookie})
    if status != 200:
        raise RuntimeError(f"{path} was answered with {status}: {body[:300]!r}")
    return body


def start_peers(stack, db, rectangles, found, answer):
    def start(command, **options):
        return stack.enter_context(Server(command, **options))

    bare = start([HELPER, "bare", db, answer], env=ROCKET)
    plain = wrk.file_of("plain", [("GET", "/plain")])
    peers = [
        Peer("bare Rocket, same bytes from memory", bare, plain),
        Peer("bare Rocket, cookie opened", bare, rectangles.requests),
        Peer("axum + rusqlite", start([HELPER, "axum", db, "{port}"]), rectangles.requests),
        Peer(
            "axum + rusqlite, a runtime a core",
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
    """A peer that does less than Bottle would be faster for that."""
    for path in rectangles.paths[:5]:
        ours, theirs = (json.loads(ask(s, path, cookie)) for s in (server, peer.server))
        if ours != theirs:
            raise RuntimeError(f"{peer.name} answers {path} otherwise than Bottle")


def against(peers, name):
    """How many requests Bottle answers for one of that peer's; None if the peer is not there."""
    peer = next((peer for peer in peers if peer.name.startswith(name)), None)
    return peer and median_ratio(peers[0].rates(), peer.rates())
