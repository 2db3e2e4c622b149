"""Generates load with wrk."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .tools import HELPER, WORK, run

SCRIPT = Path(__file__).parent / "load.lua"


@dataclass
class Sample:
    """The result of one run: requests per second, latencies in milliseconds, and the server's CPU time in
    microseconds per request, which is unknown if the server had other load as well."""

    requests: int
    rate: float
    p50: float
    p99: float
    cpu: float | None = None


def start(server, requests, cookie="", seconds=2, threads=2, connections=32, wait=0.0):
    """Starts wrk; each connection waits `wait` milliseconds between requests on average."""
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s"]
    command += ["-s", SCRIPT, f"http://127.0.0.1:{server.port}", "--", requests, cookie, wait]
    return subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process, seconds):
    """Waits for the run and returns its result. Raises if any request failed."""
    try:
        out, _ = process.communicate(timeout=seconds + 60)
    except BaseException:
        process.kill()
        raise
    result = next((line for line in out.splitlines() if line.startswith("RESULT")), None)
    if result is None:
        raise RuntimeError(f"wrk failed:\n{out}")
    requests, micros, p50, p99, failed = map(int, result.split()[1:])
    if failed or not requests:
        raise RuntimeError(f"{failed} of {requests} requests failed:\n{out}")
    return Sample(requests, requests / micros * 1e6, p50 / 1000, p99 / 1000)


def drive(server, requests, cookie="", seconds=2, **options):
    before = server.cpu_seconds()
    sample = finish(start(server, requests, cookie, seconds, **options), seconds)
    sample.cpu = (server.cpu_seconds() - before) / sample.requests * 1e6
    return sample


def pace(rate, connections=64):
    """Returns the options for about `rate` requests per second. There are more connections than at full load,
    each with a longer wait, because wrk waits whole milliseconds."""
    return {"connections": connections, "wait": connections / rate * 1000}


def file_of(name, requests):
    """Writes a file of requests, each (method, path), with an optional body and an optional cookie."""
    path = WORK / f"{name}.requests"
    lines = []
    for method, target, *rest in requests:
        body, cookie = (*rest, None, None)[:2]
        lines.append("\t".join([method, target, body and json.dumps(body) or "", cookie or ""]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class Rectangles:
    """Rectangles of a sea that hold about this number of bottles, as requests for `nearby`."""

    # Enough that neither Bottle's cache nor that of a processor holds what they find.
    COUNT = 10_000

    def __init__(self, db, results, traffic="typical", count=COUNT):
        name = f"{db.stem}-{results}-{traffic}"
        self.json = WORK / f"{name}.json"
        self.json.write_text(
            run(HELPER, "rectangles", db, results, count, "--traffic", traffic), encoding="utf-8"
        )
        self.all = json.loads(self.json.read_text())
        self.paths = [nearby(rectangle) for rectangle in self.all]
        self.requests = file_of(name, [("GET", path) for path in self.paths])


def nearby(rectangle):
    names = ("latitude", "longitude", "latitude_span", "longitude_span")
    query = "&".join(f"{name}={rectangle[name]}" for name in names)
    return f"/api/bottles/nearby?{query}"
