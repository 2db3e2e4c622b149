"""Measures what a sea of a given size costs, and whether the cost of a response grows with it."""

import sqlite3
import time
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import dataclass

from . import build, servers, wrk
from .tools import WORK, median_ratio

SMALL = 100_000
WORLD_ROUNDS = 3
# Long enough to read every rectangle of a large sea once.
WARM_UP_SECONDS = 6
# Larger files take minutes to copy.
LARGEST_BACKUP = 4 * 1024**3
WORLD = "latitude=0&longitude=0&latitude_span=90&longitude_span=180"
# A catch comes last, because it adds openings.
WHOLE_WORLD = {
    "counts of the whole world": ("GET", f"/api/bottles/counts?{WORLD}&zoom=2"),
    "the nearest 200 of the whole world": ("GET", f"/api/bottles/nearby?{WORLD}&limit=200"),
    "a catch": ("POST", "/api/bottles/catch"),
}
# Owns none of the bottles, so it may catch them.
STRANGER = {"username": "stranger", "password": "pass"}


@dataclass
class Size:
    """The cost of a sea with this number of bottles, in bytes and seconds."""

    bottles: int
    file: float
    memory: int
    start: float
    backup: float | None


def of(db, bottles, server):
    """Returns the size of a sea that `server` has served for a while."""
    backup = back_up(db)
    return Size(bottles, db.stat().st_size / bottles, server.memory(), server.start_seconds, backup)


def back_up(db):
    """Returns the seconds that SQLite's online backup takes while the server runs; None if the file is large."""
    if db.stat().st_size > LARGEST_BACKUP:
        return None
    copy = WORK / "backup.db"
    copy.unlink(missing_ok=True)
    began = time.monotonic()
    source, target = sqlite3.connect(db), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()
        taken = time.monotonic() - began
        copy.unlink(missing_ok=True)
    return taken


def compare(base_db, cookie, large_db, large_cookie, options):
    """Compares seas of three sizes: their cost, and the time of the same requests to each."""
    base, large = options.bottles, options.large
    small_db = build.sea(SMALL)
    seas = {SMALL: small_db, base: base_db, large: large_db}
    cookies = {SMALL: servers.session_in(small_db), base: cookie, large: large_cookie}
    with ExitStack() as stack:
        running = {n: stack.enter_context(servers.bottle(db)) for n, db in seas.items()}
        asked = {n: wrk.Rectangles(seas[n], 20).requests for n in (base, large)}
        rates = alternate(running, cookies, asked, options, lambda sample: sample.rate)
        strangers = {n: stranger(running[n]) for n in (SMALL, large)}
        world = {}
        few = Namespace(rounds=min(options.rounds, WORLD_ROUNDS), seconds=2)
        for name, request in WHOLE_WORLD.items():
            requests = wrk.file_of("world", [request])
            asked = {n: requests for n in (SMALL, large)}
            one = {"threads": 1, "connections": 1}
            times = alternate(running, strangers, asked, few, lambda s: s.p50, **one)
            world[name] = median_ratio(times[large], times[SMALL])
        sizes = [of(seas[n], n, running[n]) for n in sorted(running)]
    return {"nearby": median_ratio(rates[large], rates[base]), "world": world, "sizes": sizes}


def stranger(server):
    """Registers an account and returns its cookie."""
    server.ask("POST", "/api/users", STRANGER)
    return servers.log_in(server, STRANGER)


def alternate(running, cookies, asked, options, figure, **load):
    """Returns the figure of each round by size of the sea; the sizes take turns."""
    figures = {n: [] for n in asked}
    for n, requests in asked.items():
        wrk.drive(running[n], requests, cookies[n], WARM_UP_SECONDS, **load)
    for _ in range(options.rounds):
        for n, requests in asked.items():
            sample = wrk.drive(running[n], requests, cookies[n], options.seconds, **load)
            figures[n].append(figure(sample))
    return figures
