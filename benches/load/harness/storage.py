"""Measures the search alone, without HTTP: Bottle's store, PostGIS and Redis, two callers each."""

import csv
import math
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from .tools import HELPER, missing, run

CALLERS = 2
KM_A_DEGREE = 111.19


def measure(db, rectangles, options, left_out):
    """Returns searches per second, by name of the store."""
    rates = {"Bottle's store (SQLite R*-tree)": sqlite(db, rectangles, options)}
    extension = sorted(Path("/usr/share/postgresql").glob("*/extension/postgis.control"))
    if extension and not missing("runuser"):
        version = extension[-1].parts[-3]
        rates["PostGIS, GiST"] = postgis(db, rectangles, options, version)
    else:
        left_out.add("PostGIS", "apt-get install postgresql-15 postgresql-15-postgis-3")
    if missing("redis-server", "redis-cli", "redis-benchmark"):
        left_out.add("Redis", "apt-get install redis-server redis-tools")
    else:
        rates["Redis, GEOSEARCH (ids and places only)"] = redis(db, rectangles, options)
    return rates


def sqlite(db, rectangles, options):
    """Measures Bottle's store. No server may hold the file, because the store locks it."""
    command = [HELPER, "storage", db, rectangles.json, CALLERS, options.seconds]
    return statistics.median(float(run(*command)) for _ in range(options.rounds))


@contextmanager
def folder(owner=None):
    """Provides a temporary folder."""
    path = Path(tempfile.mkdtemp(prefix="bottle-load-"))
    try:
        if owner:
            shutil.chown(path, owner)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def postgis(db, rectangles, options, version):
    # PostgreSQL does not run as root.
    user = "postgres" if os.geteuid() == 0 else None
    prefix = ["runuser", "-u", user, "--"] if user else []
    programs = Path(f"/usr/lib/postgresql/{version}/bin")
    with folder(user) as place:
        data = place / "data"
        run(*prefix, programs / "initdb", "-A", "trust", "-D", data, cwd=place)
        settings = f"-c listen_addresses= -c unix_socket_directories={place}"
        settings += " -c shared_buffers=1GB -c fsync=off -c max_wal_size=8GB"
        control = [*prefix, programs / "pg_ctl", "-D", data, "-l", place / "log", "-w"]
        # The daemon must not inherit a pipe that `run` waits for.
        subprocess.run(
            [*map(str, control), "-o", settings, "start"],
            check=True,
            timeout=120,
            cwd=place,
            stdout=subprocess.DEVNULL,
        )
        try:
            call = [*prefix, programs / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", place]
            call += ["-d", "postgres"]
            fill_postgis(call, db, rectangles, place)
            return pgbench([*prefix, programs / "pgbench"], place, rectangles, options)
        finally:
            run(*control, "-m", "immediate", "stop", cwd=place)


def fill_postgis(call, db, rectangles, place):
    """Inserts the same rows, clustered and indexed as PostGIS's manual advises."""
    rows = place / "bottles.csv"
    with sqlite3.connect(db) as source, open(rows, "w", encoding="utf-8", newline="") as out:
        columns = "id, owner_id, style, formatted_address, latitude, longitude"
        csv.writer(out).writerows(source.execute(f"SELECT {columns} FROM bottles ORDER BY id"))
    boxes = ", ".join(
        "(ST_MakeEnvelope({}, {}, {}, {}, 4326))".format(
            asked["longitude"] - asked["longitude_span"],
            asked["latitude"] - asked["latitude_span"],
            asked["longitude"] + asked["longitude_span"],
            asked["latitude"] + asked["latitude_span"],
        )
        for asked in rectangles.all
    )
    script = place / "fill.sql"
    script.write_text(f"""
        CREATE EXTENSION postgis;
        CREATE TABLE rows (id bigint, owner_id bigint, style int, formatted_address text,
                           latitude float8, longitude float8);
        \\copy rows FROM '{rows}' CSV
        CREATE TABLE bottles AS
            SELECT id, owner_id, style, formatted_address,
                   ST_SetSRID(ST_MakePoint(longitude, latitude), 4326) AS place FROM rows;
        CREATE INDEX ON bottles USING gist (place);
        CREATE TABLE asked (id serial PRIMARY KEY, box geometry);
        INSERT INTO asked (box) VALUES {boxes};
        VACUUM ANALYZE;
        """)
    for path in (rows, script):
        path.chmod(0o644)
    run(*call, "-f", script, cwd=place)


def pgbench(program, place, rectangles, options):
    script = place / "search.sql"
    script.write_text(f"""\\set n random(1, {len(rectangles.all)})
        SELECT bottles.id, owner_id, style, formatted_address, ST_Y(place), ST_X(place)
        FROM asked JOIN bottles ON place && box WHERE asked.id = :n;
        """)
    script.chmod(0o644)
    command = [*program, "-h", place, "-n", "-M", "prepared", "-c", CALLERS, "-j", CALLERS]
    command += ["-f", script, "-T", options.seconds, "postgres"]
    outputs = [run(*command, cwd=place) for _ in range(options.rounds)]
    return statistics.median(float(re.search(r"tps = ([\d.]+)", out)[1]) for out in outputs)


def redis(db, rectangles, options):
    with folder() as place:
        socket = place / "redis.sock"
        command = ["redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", place]
        server = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
        try:
            for _ in range(200):
                if socket.exists():
                    break
                time.sleep(0.05)
            fill_redis(socket, db)
            return geosearch(socket, rectangles, options)
        finally:
            server.terminate()
            server.wait(30)


def fill_redis(socket, db):
    """Inserts the bottles with GEOADD, a thousand per command, through redis-cli's bulk mode."""
    loader = subprocess.Popen(
        ["redis-cli", "-s", str(socket), "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    with sqlite3.connect(db) as source:
        rows = source.execute("SELECT longitude, latitude, id FROM bottles ORDER BY id")
        while batch := rows.fetchmany(1000):
            words = ["GEOADD", "bottles", *(str(value) for row in batch for value in row)]
            parts = [f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)]
            loader.stdin.write("".join(parts).encode())
    loader.stdin.close()
    if loader.wait(600) != 0:
        raise RuntimeError("redis-cli could not fill Redis")


def geosearch(socket, rectangles, options):
    """Returns searches per second. redis-benchmark repeats one command, so a few rectangles share the time."""
    seconds_a_search = []
    for asked in rectangles.all[: 4 * options.rounds]:
        width = 2 * asked["longitude_span"] * KM_A_DEGREE * math.cos(math.radians(asked["latitude"]))
        height = 2 * asked["latitude_span"] * KM_A_DEGREE
        search = ["GEOSEARCH", "bottles", "FROMLONLAT", asked["longitude"], asked["latitude"]]
        search += ["BYBOX", f"{width:.6f}", f"{height:.6f}", "km", "WITHCOORD"]
        command = ["redis-benchmark", "-s", socket, "-c", CALLERS, "-n", 4000, "--csv", *search]
        rate = float(run(*command).splitlines()[-1].split('","')[1])
        seconds_a_search.append(1 / rate)
    return 1 / statistics.mean(seconds_a_search)
