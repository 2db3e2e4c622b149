"""Measures the CPU time of a request that needs little more than its session."""

import statistics

from . import wrk

ROUNDS = 3
PATHS = {"healthz": "/healthz", "self": "/api/users/self"}


def measure(server, cookie, options):
    samples = {name: [] for name in PATHS}
    files = {name: wrk.file_of(name, [("GET", path)]) for name, path in PATHS.items()}
    for _ in range(min(options.rounds, ROUNDS)):
        for name, requests in files.items():
            samples[name].append(wrk.drive(server, requests, cookie, options.seconds))
    return samples


def cpu_ratio(samples):
    own, health = (
        statistics.median(sample.cpu for sample in samples[name]) for name in ("self", "healthz")
    )
    return own / health
