"""Measures throws under load, and `nearby` while other clients log in."""

import statistics
from contextlib import ExitStack

from . import build, servers, wrk
from .servers import Server
from .tools import HELPER, median_ratio

THROWERS = 64


def throws(options):
    """Measures durable throws of Bottle and of a server that commits each one by itself."""
    bodies = [
        {
            "content": f"Thrown by the bench, number {n}.",
            "style": n % 3,
            "location": {
                "formatted_address": "Harbour Street 7",
                "latitude": round(n * 0.41 % 60, 6),
                "longitude": round(n * 1.37 % 170, 6),
            },
        }
        for n in range(400)
    ]
    requests = wrk.file_of("throws", [("POST", "/api/bottles", body) for body in bodies])
    with ExitStack() as stack:
        grouped_db, single_db = build.sea(10_000, "grouped"), build.sea(10_000, "single")
        # The peer has no login, so Bottle creates the sessions of both.
        with servers.bottle(single_db) as server:
            single_cookie = servers.log_in(server)
        grouped = stack.enter_context(servers.bottle(grouped_db))
        grouped_cookie = servers.log_in(grouped)
        single = stack.enter_context(Server([HELPER, "single", single_db, "{port}"]))
        samples = {"grouped": [], "single": []}
        for _ in range(options.rounds):
            for name, server, cookie in (
                ("grouped", grouped, grouped_cookie),
                ("single", single, single_cookie),
            ):
                sample = wrk.drive(
                    server, requests, cookie, options.seconds, connections=THROWERS
                )
                samples[name].append(sample)
    return samples


def throws_ratio(samples):
    return median_ratio(
        [sample.rate for sample in samples["grouped"]],
        [sample.rate for sample in samples["single"]],
    )


# More connections than at full load, each with a longer wait, because wrk waits whole milliseconds.
CALM_CONNECTIONS = 64
FLOOD = 8


def logins(bottle, cookie, options):
    """Measures `nearby` at half of Bottle's full rate, alone and while 8 clients log in without pause."""
    full = statistics.median(bottle.rates())
    wait = CALM_CONNECTIONS / (full / 2) * 1000
    flood = wrk.file_of("logins", [("POST", "/api/sessions", servers.LOGIN)])

    def calm():
        return wrk.drive(
            bottle.server,
            bottle.requests,
            cookie,
            options.seconds,
            connections=CALM_CONNECTIONS,
            wait=wait,
        )

    alone, beside, logged_in = [], [], []
    for _ in range(options.rounds):
        alone.append(calm())
        # The flood starts before and ends after the measurement that it disturbs.
        seconds = options.seconds + 2
        process = wrk.start(bottle.server, flood, "", seconds, threads=1, connections=FLOOD)
        try:
            beside.append(calm())
        finally:
            logged_in.append(wrk.finish(process, seconds))
    memory = bottle.server.memory()
    return {"full": full, "alone": alone, "beside": beside, "logins": logged_in, "memory": memory}


def logins_ratio(samples):
    return median_ratio(
        [sample.p99 for sample in samples["beside"]], [sample.p99 for sample in samples["alone"]]
    )
