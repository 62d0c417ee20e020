"""Killed at any moment of a save, what is restored is a whole checkpoint."""

import random
import subprocess
import sys
import time

import numpy as np
import pytest

from launch import checkpoints

SAVE = """
import itertools, sys
from pathlib import Path
import numpy as np
from launch import checkpoints

folder = Path(sys.argv[1])
first = (checkpoints.steps(folder) or [0])[-1] + 1
for step in itertools.count(first):
    state = {"a": np.full(300_000, step), "b": np.full(3, step)}
    checkpoints.save(folder, step, state, identity={}, extra={"step": step})
    print(step, flush=True)
"""


@pytest.mark.slow
def test_killed_while_saving(tmp_path, caplog):
    like = {"a": np.zeros(300_000, np.int64), "b": np.zeros(3, np.int64)}
    generator = random.Random(0)
    newest = 0
    for _ in range(8):
        command = [sys.executable, "-c", SAVE, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            saved = int(process.stdout.readline())
            assert saved > newest
            time.sleep(generator.uniform(0, 0.3))
            process.kill()
            saved = max([saved, *(int(line) for line in process.stdout.read().split())])
        got = checkpoints.restore(tmp_path, like, identity={})
        newest = got.step
        assert newest in (saved, saved + 1)  # the second, if it was killed before it could say so
        assert got.extra == {"step": newest}
        assert all(np.all(leaf == newest) for leaf in got.state.values())
    assert not caplog.records  # nothing that looked like a checkpoint was damaged
