"""Killed at any moment of a save, what is restored is a whole checkpoint."""

import json
import random
import signal
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

# Saves a step several times, each time in a child that is killed just before its n-th call that
# changes the folder; n grows until a child survives. Without arrays a save starts no threads, so
# that forking is safe. Prints what is restored after each death.
SAVE_AGAIN = """
import json, os, shutil, signal, sys
from pathlib import Path
from launch import checkpoints

folder = Path(sys.argv[1])
CHANGES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def save(step, again):
    checkpoints.save(folder, step, {}, identity={}, extra={"again": again}, keep=2)


def save_and_die(number):
    left = number

    def count(event, arguments):
        nonlocal left
        if event in CHANGES:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    save(7, number)
    os._exit(0)


save(5, -1)
save(7, 0)
number = status = 1
while status:
    child = os.fork()
    if not child:
        save_and_die(number)
    status = os.waitpid(child, 0)[1]
    got = checkpoints.restore(folder, {}, identity={})
    print(json.dumps([status, number, checkpoints.steps(folder), got.step, got.extra["again"]]))
    if "anew" in sys.argv and got.extra["again"] == number:  # begins as the first one did
        shutil.rmtree(folder)
        save(5, -1)
        save(7, 0)
    number += 1
"""


def deaths_of_saves(folder, *arguments: str) -> list[list]:
    """Of each save that was killed: at which call, and which save is restored afterwards."""
    command = [sys.executable, "-c", SAVE_AGAIN, str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "damaged" not in done.stderr
    *deaths, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(deaths) > 8
    assert last[0] == 0
    for status, _, steps, step, _ in deaths:
        assert status == signal.SIGKILL
        assert (steps, step) == ([5, 7], 7)
    return [[number, again] for _, number, _, _, again in deaths]


def test_killed_at_each_call_of_a_second_save_of_one_step(tmp_path):
    deaths = deaths_of_saves(tmp_path / "checkpoints", "anew")
    assert all(again in (number, 0) for number, again in deaths)
    replaced = [again == number for number, again in deaths]
    assert replaced == sorted(replaced)  # the old one up to some call, the new one from then on
    assert set(replaced) == {False, True}


def test_killed_again_and_again_while_one_step_is_saved(tmp_path):
    """Each save begins with what the deaths before it have left."""
    before = 0
    for number, again in deaths_of_saves(tmp_path / "checkpoints"):
        assert again in (number, before)
        before = again


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
