"""Worlds whose opponents are programs of their own leave none behind."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from environments import load_vector
from environments.players.gnugo import find_gnugo

ROOT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.skipif(find_gnugo() is None, reason="the program gnugo is not installed"),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="no /proc"),
]
OPTIONS = {"size": 5, "opponent": "gnugo(level=1)"}

LEFT_OPEN = f"""
from environments import load_vector
from tests.environments.vector.test_processes import children
worlds = load_vector("mujogo", 2, **{OPTIONS})
worlds.reset()
print(*children())
"""


def children() -> list[str]:
    """The processes that this one has started and that still run."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # the thread has ended meanwhile
            found += (task / "children").read_text().split()
    return found


def test_closing_ends_the_programs():
    before = children()
    with load_vector("mujogo", 2, **OPTIONS) as worlds:
        worlds.step(np.zeros((2, *worlds.spec.action.shape)))
        assert len(children()) == len(before) + 2
    assert children() == before


def test_so_does_the_end_of_the_interpreter():
    done = subprocess.run(
        [sys.executable, "-c", LEFT_OPEN], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    started = done.stdout.split()
    assert len(started) == 2
    deadline = time.monotonic() + 10
    while any(map(runs, started)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(runs, started))


def runs(process: str) -> bool:
    """Whether a process is there, and not only waits to be noted as dead."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
