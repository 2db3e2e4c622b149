"""Measures Bottle with a file that is not in the page cache, and with little memory for one."""

import os

from . import build, memory_limit, servers, wrk
from .tools import HELPER, MIB, median_ratio, run, say

FIRST_SECONDS = 2
LITTLE = 256 * MIB
# More than fit in `LITTLE` with what they find.
MANY_RECTANGLES = 30_000
# Few, because each round begins with a cold file and takes long to warm it.
ROUNDS = 3


def drop(db):
    """Removes the file from the page cache. The pages of a file that a program has mapped stay."""
    with open(db, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def pages(db, peer_db, traffics):
    """Returns the pages that a search reads when nothing is cached, by traffic and schema."""
    return {
        traffic: {
            schema: int(run(HELPER, "pages", path, rectangles.json, "--schema", schema))
            for schema, path in (("bottle", db), ("peer", peer_db))
        }
        for traffic, rectangles in traffics.items()
    }


def messages(long_db, cookie, rectangles, bottles, options):
    """Measures the same sea with long messages and with messages of nine words, cold and warm."""
    short_db = build.sea(bottles, messages="short")
    seas = {"long": (long_db, cookie), "short": (short_db, servers.session_in(short_db))}
    samples = {length: {"cold": [], "warm": []} for length in seas}
    for turn in range(rounds(options)):
        # The seas take turns to be first.
        for length in list(seas)[:: -1 if turn % 2 else 1]:
            db, cookie = seas[length]
            cold, warm = cold_and_warm(db, cookie, rectangles, options)
            samples[length]["cold"].append(cold)
            samples[length]["warm"].append(warm)
    build.remove(short_db)
    return samples


def cold_and_warm(db, cookie, rectangles, options):
    drop(db)
    with servers.bottle(db) as server:
        cold = wrk.drive(server, rectangles.requests, cookie, FIRST_SECONDS)
        wrk.drive(server, rectangles.requests, cookie, FIRST_SECONDS)
        return cold, wrk.drive(server, rectangles.requests, cookie, options.seconds)


def messages_ratio(samples, state):
    return median_ratio(
        *([sample.rate for sample in samples[length][state]] for length in ("long", "short"))
    )


def limited(db, cookie, options, left_out):
    """Measures typical traffic to a large sea with little memory and with all; None if there is no limit."""
    if not memory_limit.available():
        left_out.add("limited memory", "run it as root, with a writable /sys/fs/cgroup")
        return None
    requests = wrk.Rectangles(db, 20, count=MANY_RECTANGLES).requests
    samples = {"limited": [], "unlimited": []}
    for _ in range(rounds(options)):
        # Pages in the cache count for the group that read them first, so both begin without any.
        drop(db)
        with memory_limit.of(LITTLE) as limit:
            samples["limited"].append(warmed(db, cookie, requests, options, limit))
        drop(db)
        samples["unlimited"].append(warmed(db, cookie, requests, options, None))
    return samples


def warmed(db, cookie, requests, options, limit):
    try:
        with servers.bottle(db, limit.prefix() if limit else ()) as server:
            # Long enough to read every rectangle once.
            wrk.drive(server, requests, cookie, 2 * options.seconds)
            return wrk.drive(server, requests, cookie, options.seconds)
    except RuntimeError as error:
        if not limit:
            raise
        # The kernel may kill a server that has too little memory, which is a result too.
        say(f"  with little memory: {str(error).splitlines()[0]}")
        return wrk.Sample(0, 0.0, 0.0, 0.0)


def limited_ratio(samples):
    return median_ratio(
        *([sample.rate for sample in samples[name]] for name in ("limited", "unlimited"))
    )


def rounds(options):
    return min(options.rounds, ROUNDS)
