"""Paths, and helpers to run other programs."""

import os
import shutil
import socket
import statistics
import subprocess
from pathlib import Path

LOAD = Path(__file__).resolve().parent.parent
ROOT = LOAD.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
WORK = TARGET / "load"
BOTTLE = TARGET / "release" / "bottle"
HELPER = TARGET / "release" / "bottle-load"
# axum as anybody would build it, and with Bottle's allocator and build of SQLite.
STOCK = WORK / "stock"
AXUM = STOCK / "release" / "bottle-axum"
AXUM_TUNED = TARGET / "release" / "bottle-axum"
MIB = 1024 * 1024


def say(text=""):
    print(text, flush=True)


def run(*command, timeout=1800, **options):
    """Runs the command and returns its output; raises with its error output if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        timeout=timeout,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def missing(*programs):
    return [program for program in programs if not shutil.which(program)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def rank(count):
    """Formats 1000000 as `1 M`."""
    for size, letter in ((1_000_000, " M"), (1000, " k")):
        if count >= size:
            return f"{count / size:g}{letter}"
    return str(count)


def median_ratio(these, those):
    """Returns the median of the ratios of each round, which a slow minute of the machine hardly moves."""
    return statistics.median(this / that for this, that in zip(these, those))
