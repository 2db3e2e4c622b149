"""The figures that decide whether Bottle is fast enough, each with its requirement and its goal."""

from dataclasses import dataclass

from .busy import logins_ratio, throws_ratio
from .nearby import against
from .size import LARGE
from .tools import rank

MIB = 1024 * 1024


@dataclass
class Figure:
    """A figure with its bounds. `must` and `aim` are lower bounds if `least` is true, else upper bounds."""

    name: str
    value: float
    must: float
    aim: float
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


def of(results, bottles):
    """Returns all figures that were measured."""
    figures = throughput(results["nearby"][20], bottles)
    figures.append(
        Figure("durable throws, 64 connections, compared with one transaction each",
               throws_ratio(results["throws"]), 3, 5)
    )
    figures.append(
        Figure("p99 of nearby at half load while 8 clients log in, compared with alone",
               logins_ratio(results["logins"]), 3, 1.5, least=False)
    )
    figures += growth(results.get("growth"), bottles)
    size = results["sizes"][-1]
    figures.append(
        Figure(f"memory at {rank(size.bottles)}, without pages of the file", size.memory / MIB,
               64, 32, least=False, unit=" MiB")
    )
    return figures


def throughput(peers, bottles):
    goals = {
        "bare Rocket, same bytes": (0.27, 0.45),
        "axum + rusqlite": (0.95, 1.3),
        "Fastify": (2, 4),
        "FastAPI": (6, 12),
    }
    figures = []
    for name, (must, aim) in goals.items():
        ratio = against(peers, name)
        if ratio is not None:
            what = f"nearby, 20 results, {rank(bottles)}, compared with {name}"
            figures.append(Figure(what, ratio, must, aim))
    return figures


def growth(measured, bottles):
    if not measured:
        return []
    figures = [
        Figure(f"nearby at {rank(LARGE)} compared with {rank(bottles)}", measured["nearby"], 0.8, 0.95)
    ]
    for name, ratio in measured["world"].items():
        figures.append(Figure(f"{name}, {rank(LARGE)} compared with 100 k, time", ratio, 2, 1.2, False))
    return figures
