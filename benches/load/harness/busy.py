"""Measures throws under load, and `nearby` while other clients log in."""

from contextlib import ExitStack

from . import build, servers, wrk
from .servers import Server
from .tools import AXUM, median_ratio, missing

THROWERS = 64
THROW_ROUNDS = 3
# A sync of a memory card, which erases and writes a block of its own, takes some milliseconds.
SLOW_SYNC_MS = 4


def throws(options, prefix=()):
    """Measures durable throws of Bottle and of a server that commits each one by itself, both started
    by `prefix`."""
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
        grouped_db = build.sea(10_000, "throws")
        # The peer has no login, so it takes the session of Bottle.
        cookie = servers.session_in(grouped_db)
        single_db = build.peer(grouped_db)
        grouped = stack.enter_context(servers.bottle(grouped_db, prefix))
        single = stack.enter_context(Server([*prefix, AXUM, "throws", single_db, "{port}"]))
        samples = {"grouped": [], "single": []}
        for _ in range(min(options.rounds, THROW_ROUNDS)):
            for name, server in (("grouped", grouped), ("single", single)):
                sample = wrk.drive(
                    server, requests, cookie, options.seconds, connections=THROWERS
                )
                samples[name].append(sample)
    return samples


def slow_throws(options, left_out):
    """Measures throws to a disk that syncs as slowly as a memory card; None without strace."""
    if missing("strace"):
        left_out.add("throws to a slow disk", "apt-get install strace")
        return None
    delay = f"inject=fsync,fdatasync:delay_exit={SLOW_SYNC_MS}ms"
    # With `--seccomp-bpf`, no other system call is slower than without strace.
    strace = ["strace", "--seccomp-bpf", "-f", "-qq", "-o", "/dev/null"]
    return throws(options, [*strace, "-e", "trace=fsync,fdatasync", "-e", delay])


def throws_ratio(samples):
    return median_ratio(
        [sample.rate for sample in samples["grouped"]],
        [sample.rate for sample in samples["single"]],
    )


FLOOD = 8


def logins(bottle, cookie, options):
    """Measures `nearby` at half of Bottle's full rate, alone and while 8 clients log in without pause."""
    full = bottle.median("rate")
    pace = wrk.pace(full / 2)
    flood = wrk.file_of("logins", [("POST", "/api/sessions", servers.LOGIN)])

    def calm():
        return wrk.drive(bottle.server, bottle.requests, cookie, options.seconds, **pace)

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
