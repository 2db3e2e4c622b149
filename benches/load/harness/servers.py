"""Servers on free loopback ports; each stops with the block that started it."""

import http.client
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from .tools import BOTTLE, WORK, free_port


class Server:
    """A server process. `{port}` in its command and environment is replaced by its port."""

    def __init__(self, command, env=None, cwd=None):
        self.port = free_port()
        port = str(self.port)
        env = {name: str(value).replace("{port}", port) for name, value in (env or {}).items()}
        # wrk keeps both cores busy, so the output goes to a file instead of a terminal.
        self.log = open(WORK / "server.log", "ab")
        began = time.monotonic()
        self.process = subprocess.Popen(
            [str(part).replace("{port}", port) for part in command],
            env={**os.environ, **env},
            cwd=cwd or WORK,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.monotonic() - began

    def _wait(self):
        for _ in range(10_000):
            try:
                self.ask("GET", "/api/settings")
                return
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError(f"a server exited during start-up; see {WORK / 'server.log'}")
                time.sleep(0.003)
        raise RuntimeError("a server did not respond within half a minute")

    def ask(self, method, path, body=None, headers=None):
        """Sends one request and returns status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"Content-Type": "application/json", **(headers or {})}
            connection.request(method, path, body and json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def memory(self):
        """Returns the bytes of anonymous memory, which excludes mapped pages of the file."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError("/proc does not report RssAnon on this system")

    def cpu_seconds(self):
        """Returns the CPU time of the server and its workers so far, in user and system mode."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                # The name, in parentheses, may contain spaces.
                fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            _, _, group, *_ = fields
            if int(group) == self.process.pid:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            pass
        try:
            # Remaining workers.
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


ROCKET = {"ROCKET_ADDRESS": "127.0.0.1", "ROCKET_PORT": "{port}", "ROCKET_LOG_LEVEL": "critical"}


def bottle(db, prefix=()):
    """Starts Bottle, by the command `prefix`, with its defaults, except for two things that no peer does:
    it logs no requests and limits no throws."""
    unlimited = {"ROCKET_BOTTLE": "{throws_per_minute=0}"}
    return Server([*prefix, BOTTLE, "serve", "--db", db], env=ROCKET | unlimited)


def log_in(server, login=None):
    """Logs ada in, unless `login` names another account, and returns the cookie of the new session."""
    status, headers, body = server.ask("POST", "/api/sessions", login or LOGIN)
    if status != 200:
        raise RuntimeError(f"a login failed: {body.decode()}")
    return headers["Set-Cookie"].split(";")[0]


def session_in(db):
    """Starts Bottle once to log ada in, and returns the cookie; the session stays in the file."""
    with bottle(db) as server:
        return log_in(server)


LOGIN = {"username": "ada", "password": "pass"}
