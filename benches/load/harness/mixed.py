"""Measures `nearby` within the load of a class: other requests and event streams beside it."""

import random
from dataclasses import dataclass

from . import build, servers, streams, wrk
from .tools import median_ratio

# Percent of the requests.
NEARBY = 85
OTHERS = {"counts": 5, "open": 4, "lists": 3, "throw": 3}
# Of Bottle's full rate. At a higher one, two cores that also generate the load are busy with both, and
# the rate of `nearby` falls once other requests run beside it.
LOAD = 0.25
STREAMS = 20
ACCOUNTS = 8


@dataclass
class Class:
    """A sea, and the sessions of accounts that threw none of its bottles yet."""

    server: object
    cookies: list
    rectangles: list
    bottles: int

    def others(self, count, seed):
        """Returns `count` requests other than `nearby`, in their proportions and in random order."""
        chance = random.Random(seed)
        kinds = [kind for kind, share in OTHERS.items() for _ in range(share)]
        chosen = [kinds[n % len(kinds)] for n in range(count)]
        chance.shuffle(chosen)
        return [self.request(kind, chance) for kind in chosen]

    def request(self, kind, chance):
        cookie, place = chance.choice(self.cookies), chance.choice(self.rectangles)
        latitude, longitude = place["latitude"], place["longitude"]
        if kind == "counts":
            # What a screen shows at this zoom.
            query = f"latitude={latitude}&longitude={longitude}&latitude_span=1.5&longitude_span=3"
            return "GET", f"/api/bottles/counts?{query}&zoom=8", None, cookie
        if kind == "open":
            return "POST", f"/api/bottles/{chance.randint(1, self.bottles)}/open", None, cookie
        if kind == "lists":
            return "GET", f"/api/bottles/{chance.choice(('created', 'opened'))}?limit=20", None, cookie
        location = {"formatted_address": "Harbour Street 7", "latitude": latitude, "longitude": longitude}
        body = {"content": "Thrown by the bench.", "style": chance.randint(0, 2), "location": location}
        return "POST", "/api/bottles", body, cookie


def measure(db, cookie, rectangles, full, bottles, options):
    """Measures `nearby` at a fixed rate, alone and within the mixed load, which is a part of the rate `full`.

    It runs on a copy of the sea, because the load changes it."""
    db = build.copy(db, "mixed")
    per_second = full * LOAD
    pace = wrk.pace(per_second * NEARBY / 100)
    alone, within, others = [], [], []
    with servers.bottle(db) as server:
        pupils = Class(server, accounts(server), rectangles.all, bottles)

        def nearby():
            return wrk.drive(server, rectangles.requests, cookie, options.seconds, **pace)

        wrk.drive(server, rectangles.requests, cookie, 2)
        for turn in range(options.rounds):
            alone.append(nearby())
            with streams.open_all(server, stream_paths(rectangles), cookie) as live:
                load, seconds = start_others(pupils, per_second, turn, options)
                try:
                    within.append(nearby())
                finally:
                    others.append(wrk.finish(load, seconds))
    build.remove(db)
    heard = sum(stream.bottles for stream in live)
    return {"alone": alone, "within": within, "others": others, "events": heard}


def start_others(pupils, per_second, turn, options):
    """Starts the other requests, which begin before and end after `nearby`."""
    seconds = options.seconds + 2
    rate = per_second * (100 - NEARBY) / 100
    # More than one run sends, and others in each round, so that hardly any opening is repeated.
    requests = pupils.others(int(rate * seconds * 1.2) + 15, turn)
    file = wrk.file_of(f"mixed-{turn}", requests)
    pace = wrk.pace(rate, connections=16)
    return wrk.start(pupils.server, file, seconds=seconds, threads=1, **pace), seconds


def stream_paths(rectangles):
    """Returns streams of the area around the first rectangles, as wide as a screen."""
    return [
        f"/api/bottles/live?latitude={place['latitude']}&longitude={place['longitude']}"
        "&latitude_span=0.5&longitude_span=1"
        for place in rectangles.all[:STREAMS]
    ]


def accounts(server):
    """Registers accounts and returns the cookie of each."""
    cookies = []
    for n in range(ACCOUNTS):
        login = {"username": f"pupil{n}", "password": "pass"}
        status, _, body = server.ask("POST", "/api/users", login)
        if status != 200:
            raise RuntimeError(f"cannot register {login['username']}: {body.decode()}")
        cookies.append(servers.log_in(server, login))
    return cookies


def p99_ratio(samples):
    return median_ratio(
        *([sample.p99 for sample in samples[name]] for name in ("within", "alone"))
    )
