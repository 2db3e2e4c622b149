"""A control group that limits the memory of a server, with the pages of files that it caches."""

from contextlib import contextmanager
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
NAME = "bottle-load"


class MemoryLimit:
    """A control group in this folder."""

    def __init__(self, folder):
        self.folder = folder

    def prefix(self):
        """Returns the start of a command that joins the group and then runs the rest."""
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', self.folder / "cgroup.procs"]


def setting():
    """Returns the folder of the group and the file that holds its limit, in version 2 or 1."""
    if (ROOT / "cgroup.controllers").exists():
        return ROOT / NAME, "memory.max"
    return ROOT / "memory" / NAME, "memory.limit_in_bytes"


@contextmanager
def of(size):
    """Provides a limit of `size` bytes. Raises OSError if this system lets us make none."""
    folder, file = setting()
    folder.mkdir(exist_ok=True)
    try:
        (folder / file).write_text(str(size), encoding="ascii")
        yield MemoryLimit(folder)
    finally:
        folder.rmdir()


def available():
    try:
        with of(1 << 28):
            return True
    except OSError:
        return False
