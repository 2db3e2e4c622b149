"""The figures that decide whether Bottle is fast enough, each with its requirement and its goal."""

from dataclasses import dataclass

from . import cold, mixed, overhead
from .busy import SLOW_SYNC_MS, logins_ratio, throws_ratio
from .nearby import against
from .tools import MIB, rank


@dataclass
class Figure:
    """A figure with its bounds, and what it means for a Raspberry Pi. `must` and `aim` are lower bounds if
    `least` is true, else upper bounds."""

    name: str
    value: float
    must: float
    aim: float
    means: str
    least: bool = True
    unit: str = ""

    def verdict(self):
        def reaches(goal):
            return self.value >= goal if self.least else self.value <= goal

        return "aim" if reaches(self.aim) else "must" if reaches(self.must) else "neither"

    def goals(self):
        sign = "≥" if self.least else "≤"
        return f"{sign} {self.must:g}", f"{sign} {self.aim:g}"

    def shown(self):
        return f"{self.value:.3g}{self.unit}"


def of(results, options):
    """Returns all figures that were measured."""
    figures = throughput(results["nearby"]) + cpu(results["nearby"]["typical", 20])
    figures += reading(results)
    figures += large(results, options)
    figures += others(results)
    return figures


def throughput(nearby):
    name = "requests/s of nearby compared with axum + rusqlite, {} traffic"
    return [
        Figure(name.format("typical"), against(nearby["typical", 20], "axum", "rate"), 1.15, 1.5,
               "A Pi serves this many times the people that it could with a server written by hand, "
               "while they look at cities."),
        Figure(name.format("uniform"), against(nearby["uniform", 20], "axum", "rate"), 0.95, 1.1,
               "The same, if nobody looks where others look, so that caches help least."),
        *scripts(nearby["typical", 20]),
    ]


def scripts(peers):
    figures = []
    for stack, must, aim in (("Fastify", 2.2, 3), ("FastAPI", 3.5, 6)):
        ratio = against(peers, stack, "rate")
        if ratio is not None:
            figures.append(
                Figure(f"requests/s of nearby compared with {stack}", ratio, must, aim,
                       f"A Pi serves this many times the people that it could with {stack}.")
            )
    return figures


def cpu(peers):
    return [
        Figure("server CPU per request, compared with bare Rocket",
               against(peers, "bare Rocket, same", "cpu"), 4.5, 3,
               "A Pi spends this many times the CPU of HTTP alone; the rest is the session, the search "
               "and the JSON.", least=False),
    ]


def reading(results):
    messages, first = results["messages"], f"first {cold.FIRST_SECONDS} s"
    name = "requests/s of nearby with long messages compared with nine words, {}"
    return [
        Figure("pages of a cold nearby, 2 KiB each", results["pages"]["typical"]["bottle"], 45, 25,
               "The first look at a place reads this many pages from the SD card; a card rated A1 "
               "does at least 1,500 random reads a second.", least=False),
        Figure(name.format("warm"), cold.messages_ratio(messages, "warm"), 0.95, 1,
               "A Pi keeps this part of its speed if the messages are long."),
        Figure(name.format(first), cold.messages_ratio(messages, "cold"), 0.95, 1,
               "The same after a power cut, while everything still comes from the SD card."),
    ]


def large(results, options):
    if not options.large:
        return []
    count, growth = rank(options.large), results["growth"]
    figures = [
        Figure(f"nearby at {count} compared with {rank(options.bottles)}", growth["nearby"], 0.85, 0.95,
               "A Pi keeps this part of its speed as the sea fills.")
    ]
    for name, ratio in growth["world"].items():
        figures.append(
            Figure(f"{name}, {count} compared with 100 k, time", ratio, 2, 1.2,
                   "A Pi takes this many times as long for it when the sea is full.",
                   least=False)
        )
    if results["limited"]:
        figures.append(
            Figure(f"requests/s in {cold.LITTLE // MIB} MiB compared with unlimited, {count}",
                   cold.limited_ratio(results["limited"]), 0.5, 0.8,
                   "A Pi with 512 MiB, half of it in other use, keeps this part of its speed; a slow "
                   "SD card lowers it further.")
        )
    figures.append(
        Figure(f"memory at {count}, Bottle's cache included", growth["sizes"][-1].memory / MIB, 64, 48,
               "This much of a Pi's memory is not left to the page cache.", least=False, unit=" MiB")
    )
    return figures


def slow_throws(samples):
    if not samples:
        return []
    return [
        Figure(f"the same, on a disk that takes {SLOW_SYNC_MS} ms longer to sync", throws_ratio(samples),
               5, 7, "The same from an SD card, which syncs that slowly.")
    ]


def others(results):
    return [
        Figure("CPU of /api/users/self compared with /healthz", overhead.cpu_ratio(results["overhead"]),
               1.45, 1.25, "The check of cookie and session makes the cheapest request this many times "
               "as dear for a Pi.", least=False),
        Figure("p99 of nearby within the mixed load compared with alone",
               mixed.p99_ratio(results["mixed"]), 2, 1.3,
               "While a class throws, opens and listens, the slowest looks at the map on a Pi take "
               "this many times as long.", least=False),
        Figure("durable throws, 64 connections, compared with one transaction each",
               throws_ratio(results["throws"]), 5, 7,
               "A class that throws at once gets this many times the throws from the same disk."),
        *slow_throws(results["slow_throws"]),
        Figure("p99 of nearby at half load while 8 clients log in, compared with alone",
               logins_ratio(results["logins"]), 3, 1.5,
               "While a class logs in, the slowest looks at the map take this many times as long, "
               "although each password hash keeps one core of a Pi busy.", least=False),
    ]
