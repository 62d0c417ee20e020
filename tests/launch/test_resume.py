"""Killed and interrupted runs go on as if nothing had happened: real processes, real signals."""

import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launch import checkpoints
from tests.launch.commands import (
    SECONDS,
    TINY,
    assert_same_run,
    complete,
    environment,
    moravec,
    rows,
    started,
    wait_for_line,
    wait_until,
)
from tests.launch.test_loggers import _events
from tests.marks import first_slow


def _lines(run: Path) -> int:
    """Lines in the metrics, header included."""
    path = run / "metrics.csv"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _writing(run: Path) -> bool:
    """Whether a checkpoint is being written."""
    return any((run / "checkpoints").glob(".*.tmp"))


def _killed(condition, *args, delay: float = 0.0) -> None:
    """Starts a command and kills it, soon after the condition holds."""
    with started(*args) as process:
        wait_until(condition, process)
        time.sleep(delay)
        process.kill()
        assert process.wait() == -signal.SIGKILL


def _resume(run: Path) -> None:
    done = moravec("train", "--resume", run)
    assert done.returncode == 0, done.stderr
    assert "damaged" not in done.stderr


def _assert_steps_once(run: Path) -> None:
    """TensorBoard shows each row once."""
    steps = [step for step, tag, _ in _events(run / "tensorboard") if tag == "entropy"]
    assert steps == [row["frames"] for row in rows(run)]


@pytest.mark.slow
def test_killed_twice(trained, tmp_path):
    run = tmp_path / "run"
    _killed(lambda: _writing(run), "train", *TINY, "--run-dir", run)
    assert not checkpoints.steps(run / "checkpoints")  # the first one was not yet there
    _killed(lambda: _lines(run) > 8 and _writing(run), "train", "--resume", run)
    assert 0 < len(rows(run)) < len(rows(trained))
    _resume(run)
    assert_same_run(run, trained)
    complete(run)
    _assert_steps_once(run)


# `moravec ARGS`, killed before its n-th rename that has to do with a second checkpoint of one step.
SECOND = """
import os, re, signal, sys
from launch import cli

left, PLACE = int(sys.argv[1]), re.compile("checkpoints/[0-9]+[.]1$")


def count(event, arguments):
    global left
    if event == "os.rename" and any(PLACE.search(str(path)) for path in arguments[:2]):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(count)
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("rename", [1, 2])
def test_killed_while_the_last_checkpoint_takes_the_place_of_another(trained, tmp_path, rename):
    """The last evaluation is followed by a second checkpoint of the same step."""
    run = tmp_path / "run"
    command = [sys.executable, "-c", SECOND, str(rename), "train", *TINY, "--run-dir", str(run)]
    done = subprocess.run(command, env=environment(), capture_output=True, timeout=SECONDS)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (
        checkpoints.steps(run / "checkpoints")[-1] == checkpoints.steps(trained / "checkpoints")[-1]
    )
    _resume(run)
    assert_same_run(run, trained)


@pytest.mark.parametrize("seed", first_slow(range(6)))
def test_killed_at_a_random_moment(trained, tmp_path, seed):
    run, generator = tmp_path / "run", random.Random(seed)
    lines = generator.randrange(0, 15)
    delay = generator.uniform(0, 0.3)
    print(f"killed {delay:.3f} s after line {lines}")
    begun = run / "config.json"  # before it there is nothing to resume
    _killed(
        lambda: begun.exists() and _lines(run) >= lines,
        "train",
        *TINY,
        "--run-dir",
        run,
        delay=delay,
    )
    if seed % 2:  # and once more
        lines = min(generator.randrange(2, 15), len(rows(trained)))
        _killed(lambda: _lines(run) >= lines, "train", "--resume", run, delay=delay)
    _resume(run)
    assert_same_run(run, trained)
    complete(run)
    _assert_steps_once(run)


def _interrupt(process, number) -> str:
    """Sends the signal, waits for the end; what was said."""
    process.send_signal(number)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return said


def _printed_command(said: str) -> list[str]:
    """The arguments of the command that the last line tells to type."""
    last = said.splitlines()[-1]
    assert last.startswith("next: ")
    words = shlex.split(last.removeprefix("next: "))
    return words[words.index("moravec") + 1 :]


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_interrupted_in_the_middle(trained, tmp_path, number):
    run = tmp_path / "a run"
    with started("train", *TINY, "--run-dir", run) as process:
        wait_until(lambda: _lines(run) > 4, process)
        said = _interrupt(process, number)
    done_rows = rows(run)
    assert 4 <= len(done_rows) < len(rows(trained))
    # Nothing is lost: the checkpoint is of the last row.
    assert checkpoints.steps(run / "checkpoints")[-1] == done_rows[-1]["frames"]
    assert f"stopped after {int(done_rows[-1]['frames']):,} frames" in said
    resume = _printed_command(said)
    assert resume == ["train", "--resume", str(run)]
    done = moravec(*resume)
    assert done.returncode == 0, done.stderr
    assert_same_run(run, trained)


def test_ctrl_c_does_not_wait_for_the_end_of_a_row(tmp_path):
    """Of a row that takes hours, and is to be evaluated."""
    run, long = tmp_path / "run", ("--runner.log-frames", 10**8, "--max-frames", 10**9)
    with started("train", *TINY, *long, "--run-dir", run) as process:
        wait_until(lambda: checkpoints.steps(run / "checkpoints"), process)
        said = _interrupt(process, signal.SIGINT)
    assert rows(run) == []
    (frames,) = checkpoints.steps(run / "checkpoints")[-1:]
    assert f"stopped after {frames:,} frames" in said


@pytest.mark.parametrize("line", first_slow(["compiling", "loading levels", "starting"]))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_starting(trained, tmp_path, line, number):
    run = tmp_path / "run"
    with started("train", *TINY, "--run-dir", run, JAX_COMPILATION_CACHE_DIR=None) as process:
        wait_for_line(process, line)
        said = _interrupt(process, number)
    assert "stopped after 0 frames" in said
    done = moravec(*_printed_command(said))
    assert done.returncode == 0, done.stderr
    assert_same_run(run, trained)


def test_interrupted_twice_while_compiling(tmp_path):
    run = tmp_path / "run"
    slowly = {"JAX_COMPILATION_CACHE_DIR": None, "XLA_FLAGS": ""}  # in seconds, at least
    with started("train", *TINY, "--run-dir", run, **slowly) as process:
        wait_for_line(process, "compiling")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        wait_for_line(process, "once more stops at once")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
        assert time.monotonic() - began < 20
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    assert not (run / "policy.npz").exists()


@pytest.mark.slow
def test_interrupted_twice_in_the_middle(trained, tmp_path):
    run = tmp_path / "run"
    with started("train", *TINY, "--run-dir", run) as process:
        wait_until(lambda: _lines(run) > 4, process)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) in (0, 130)  # 0 if it was faster
    _resume(run)
    assert_same_run(run, trained)


@pytest.mark.soak
def test_parameters_to_begin_with_survive_a_kill(trained, tmp_path):
    one, run = tmp_path / "one", tmp_path / "run"
    options = (*TINY, "--init-from", trained, "--seed", "1")
    assert moravec("train", *options, "--run-dir", one).returncode == 0
    _killed(lambda: _lines(run) > 0, "train", *options, "--run-dir", run)
    _resume(run)
    assert_same_run(run, one)
