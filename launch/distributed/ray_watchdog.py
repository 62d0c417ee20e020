"""Ends what would outlive a run whose process was killed: `ray_watchdog.py FOLDER` < processes.

A process of its own, which imports nothing of ours. Its standard input has the numbers of
processes, one a line, and ends when the run's process does, however that happens. What is left of
them then is killed, and the folder is removed.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

_ORDERLY_SECONDS = 0.5  # for processes to end by themselves


def children(pid: int, name: str = "") -> list[int]:
    """The living children of a process, those called `name` if that is given; Linux only."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            called, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        state, parent = rest.split()[:2]
        if int(parent) == pid and state != "Z" and name in ("", called):
            found.append(int(folder.name))
    return found


def began(pid: int) -> str:
    """When a process began, which tells it from a later one of the same number; or nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def main(folder: str) -> None:
    """Waits for the end of standard input."""
    watched = {int(line): began(int(line)) for line in sys.stdin}
    time.sleep(_ORDERLY_SECONDS)
    for pid, start in watched.items():
        if start and began(pid) == start:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
