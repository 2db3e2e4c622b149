"""Builds everything, and detects which peers this machine has."""

import os
import shutil
import sys

from .tools import LOAD, ROOT, STOCK, TARGET, WORK, missing, run, say


class LeftOut:
    """The missing peers, each with the command that installs it."""

    def __init__(self):
        self.peers = []

    def add(self, name, line):
        self.peers.append((name, line))
        say(f"Left out: {name}. To include it: {line}")


def everything(left_out):
    """Builds the server and the peers, and returns the peers that can be started."""
    if missing("wrk"):
        sys.exit("This needs wrk: apt-get install wrk")
    WORK.mkdir(parents=True, exist_ok=True)
    say("Building in release ...")
    target = ["--target-dir", TARGET]
    run("cargo", "build", "--release", "--locked", "--bin", "bottle", *target, cwd=ROOT)
    run("cargo", "build", "--release", "--locked", *target, cwd=LOAD)
    axum = ["cargo", "build", "--release", "--locked", "--package", "bottle-axum"]
    run(*axum, "--features", "mimalloc", *target, cwd=LOAD)
    # Without the flags of Bottle's build, which also apply to what is built inside its folder.
    plain = {"LIBSQLITE3_FLAGS": "", "RUSTFLAGS": ""}
    run(*axum, "--target-dir", STOCK, cwd=LOAD, env=os.environ | plain)
    return {"fastify": fastify(left_out), "fastapi": fastapi(left_out)}


def fastify(left_out):
    """Returns the folder to start Fastify in, or None."""
    if missing("node", "npm"):
        left_out.add("Fastify + better-sqlite3", "apt-get install nodejs npm")
        return None
    folder = WORK / "fastify"
    shutil.copytree(LOAD / "fastify", folder, dirs_exist_ok=True)
    try:
        if not (folder / "node_modules" / ".package-lock.json").exists():
            run("npm", "ci", "--no-audit", "--no-fund", cwd=folder, timeout=600)
        run("node", "-e", "require('better-sqlite3')(':memory:')", cwd=folder)
    except Exception as error:
        left_out.add("Fastify + better-sqlite3", f"npm ci (in {folder}), which failed: {error}")
        return None
    return folder


def fastapi(left_out):
    """Returns the folder with FastAPI's environment, or None."""
    folder = WORK / "venv"
    needs = LOAD / "fastapi" / "requirements.txt"
    try:
        if not (folder / "bin" / "uvicorn").exists():
            run(sys.executable, "-m", "venv", folder)
            run(folder / "bin" / "pip", "install", "-q", "-r", needs, timeout=600)
        run(folder / "bin" / "python", "-c", "import fastapi, uvicorn, orjson, cryptography")
    except Exception as error:
        line = "apt-get install python3-venv, and a network for pip"
        left_out.add("FastAPI + uvicorn", f"{line}; the error was: {error}")
        return None
    return folder


def sea(bottles, name=None, messages="long"):
    """Makes a new database with this number of bottles and returns its path."""
    path = fresh(name or f"{bottles}-{messages}")
    run(TARGET / "release" / "bottle-load", "make", path, bottles, "--messages", messages)
    return path


def peer(db):
    """Makes the peers' database from that of a sea, with its sessions so far, and returns its path."""
    path = fresh(f"{db.stem}-peer")
    run(TARGET / "release" / "bottle-load", "peer", db, path)
    return path


def copy(db, name):
    """Copies a database that no server has open, and returns the path of the copy."""
    path = fresh(name)
    shutil.copyfile(db, path)
    return path


def fresh(name):
    """Returns the path of a database that does not exist."""
    path = WORK / f"{name}.db"
    remove(path)
    return path


def remove(path):
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
