"""Measures `nearby` of Bottle and of its peers, in turns."""

import json
import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from . import servers, wrk
from .servers import ROCKET, Server
from .tools import AXUM, AXUM_TUNED, HELPER, LOAD, WORK, median_ratio, say


@dataclass
class Peer:
    """A server that handles the same requests, with its samples."""

    name: str
    server: Server
    requests: object
    samples: list = field(default_factory=list)

    def values(self, name):
        return [getattr(sample, name) for sample in self.samples]

    def median(self, name):
        return statistics.median(self.values(name))


@dataclass
class Sea:
    """A sea in Bottle's database and in that of the peers, with the cookie of a session in both."""

    db: Path
    peer_db: Path
    cookie: str


def measure(sea, rectangles, found, options, rounds, after=None, all_peers=False):
    """Returns the peers with their samples, Bottle first; without `all_peers`, only one variant of each stack
    and none that responds from memory. `after` is called with Bottle's server still running."""
    with ExitStack() as stack:
        server = stack.enter_context(servers.bottle(sea.db))
        peers = [Peer("Bottle", server, rectangles.requests)]
        peers += start_peers(stack, sea, rectangles, found)
        if all_peers:
            answer = typical(server, rectangles, sea.cookie)
            peers += start_variants(stack, sea, rectangles, answer)
        for peer in peers:
            if not peer.name.startswith("bare"):
                check_same(server, peer, rectangles, sea.cookie)
            wrk.drive(peer.server, peer.requests, sea.cookie, seconds=2)
        for turn in range(rounds):
            say(f"  round {turn + 1} of {rounds}")
            # Each round starts with a different server.
            first = turn % len(peers)
            for peer in peers[first:] + peers[:first]:
                sample = wrk.drive(peer.server, peer.requests, sea.cookie, options.seconds)
                peer.samples.append(sample)
        return peers, after and after(peers[0])


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


def start_peers(stack, sea, rectangles, found):
    def start(command, **options):
        return stack.enter_context(Server(command, **options))

    db = sea.peer_db
    peers = [Peer("axum + rusqlite", start([AXUM, "nearby", db, "{port}"]), rectangles.requests)]
    if folder := found["fastify"]:
        server = start(["node", "server.js", db, "{port}", "2"], cwd=folder)
        name = "Fastify + better-sqlite3, 2 processes"
        peers.append(Peer(name, server, rectangles.requests))
    if folder := found["fastapi"]:
        server = fastapi(start, folder, db)
        peers.append(Peer("FastAPI + uvicorn, 2 workers", server, rectangles.requests))
    return peers


def start_variants(stack, sea, rectangles, answer):
    """Starts axum in its other variants, and Rocket with the response in memory."""
    tuned = stack.enter_context(Server([AXUM_TUNED, "nearby", sea.peer_db, "{port}"]))
    per_core = [AXUM, "nearby", sea.peer_db, "{port}", "--per-core"]
    per_core = stack.enter_context(Server(per_core))
    bare = stack.enter_context(Server([HELPER, "bare", sea.peer_db, answer], env=ROCKET))
    plain = wrk.file_of("plain", [("GET", "/plain")])
    return [
        Peer("axum + rusqlite, Bottle's allocator and SQLite", tuned, rectangles.requests),
        Peer("axum + rusqlite, one runtime per core", per_core, rectangles.requests),
        Peer("bare Rocket, same bytes from memory", bare, plain),
        Peer("bare Rocket, cookie decrypted", bare, rectangles.requests),
    ]


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


def against(peers, name, value):
    """Returns the median ratio of Bottle's value to that peer's, or None if the peer is missing."""
    peer = next((peer for peer in peers if peer.name.startswith(name)), None)
    return peer and median_ratio(peers[0].values(value), peer.values(value))
