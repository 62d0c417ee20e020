"""Starts the command line as a user does: a process of its own, with a time limit."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from launch import checkpoints, loggers, pytree_files, run_folder
from tests.compiling import QUICK

ROOT = Path(__file__).parents[2]
LEVELS = "generated:size=5,boxes=1,count=50,seed=0"
HELD_OUT = f"{LEVELS},split=held_out"
FRAMES = 1000
# An agent that learns nothing in no time; a row about every 100 frames, and checkpoints as often
# as can be.
TINY = (
    *("--agent.channels", "4", "--agent.hidden", "16"),
    *("--agent.environments", "4", "--agent.unroll-length", "5"),
    *("--environment.levels", LEVELS, "--environment.time-limit", "8", "10"),
    *("--runner.log-frames", "100", "--runner.checkpoint-minutes", "0"),
    *("--evaluation.suites", HELD_OUT, "--evaluation.episodes", "20"),
    *("--max-frames", str(FRAMES)),
)
SECONDS = 150  # for one command
TIME_COLUMNS = ("seconds", "frames_per_second")


def environment(**changes: str | None) -> dict[str, str]:
    """The environment of a command: one device, programs compiled quickly; None removes a name."""
    variables = {
        **os.environ,
        "XLA_FLAGS": QUICK,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "80",
    }
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "UV"):
        variables.pop(name, None)
    for name, value in changes.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    return variables


def command(*args: object) -> list[str]:
    """`moravec ARGS`."""
    return [sys.executable, "-m", "launch.cli", *map(str, args)]


def moravec(*args: object, cwd: Path | None = None, **variables: str | None):
    """Runs `moravec ARGS` to its end; gives status, standard output and standard error."""
    return subprocess.run(
        command(*args),
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, what is started hears Ctrl-C, even if a shell put the tests into the background."""
    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def started(*args: object, **variables: str | None) -> Iterator[subprocess.Popen[str]]:
    """`moravec ARGS` while it runs; killed at the end if it still does."""
    with interruptible():
        process = subprocess.Popen(
            command(*args),
            env=environment(**variables),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Returns as soon as `condition` holds; fails if the process ends before it does."""
    limit = time.monotonic() + SECONDS
    while not condition():
        ended = process.poll() is not None
        if ended and not condition():
            assert process.stderr is not None
            raise AssertionError(f"it ended before: {process.stderr.read()}")
        assert time.monotonic() < limit, "time is up"
        time.sleep(0.001)


def wait_for_line(process: subprocess.Popen[str], text: str) -> str:
    """Reads standard error up to the line that holds `text`; returns what was read."""
    assert process.stderr is not None
    read = ""
    for line in process.stderr:
        read += line
        if text in line:
            return read
    raise AssertionError(f"{text!r} was never said: {read}")


def rows(run: Path) -> list[dict[str, float]]:
    """The rows of metrics, without their time columns."""
    read = loggers.read_csv(run / "metrics.csv")
    return [{k: v for k, v in row.items() if k not in TIME_COLUMNS} for row in read]


def arrays(run: Path) -> dict[str, bytes]:
    """All arrays of the newest checkpoint and of the published policy, bit for bit."""
    newest = checkpoints.saved(run / "checkpoints")[-1]
    leaves = json.loads((newest / "contents.json").read_text())["leaves"]
    # Keys are read as the numbers that they are.
    raw = [{name: leaf[name] for name in ("path", "shape", "dtype")} for leaf in leaves]
    like = [_like(leaf) for leaf in leaves]
    read = pytree_files.read(newest / "arrays", raw, like)
    found = {leaf["path"]: value.tobytes() for leaf, value in zip(leaves, read, strict=True)}
    with np.load(run / "policy.npz") as policy:
        return found | {f"policy {name}": policy[name].tobytes() for name in policy.files}


def _like(leaf: dict) -> np.ndarray:
    if "key" in leaf:
        return np.empty((*leaf["shape"], 2), np.uint32)
    return np.empty(leaf["shape"], leaf["dtype"])


def assert_same_run(run: Path, other: Path) -> None:
    """Same rows but for time columns; same newest checkpoint and policy, bit for bit."""
    assert rows(run) == rows(other)
    assert (run / "metrics.csv").read_bytes().endswith(b"\n")
    mine, others = arrays(run), arrays(other)
    assert mine.keys() == others.keys()
    assert [name for name in mine if mine[name] != others[name]] == []
    # When the others were written depends on the time that training took.
    newest = [checkpoints.steps(each / "checkpoints")[-1] for each in (run, other)]
    assert newest[0] == newest[1]


def assert_one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """A user's mistake: status 2 and, after what shows progress, one line with all the words."""
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert done.stdout == ""
    progress = ("starting", "joining", "loading levels", "compiling", "playing ", "evaluating")
    said = [line for line in done.stderr.splitlines() if not line.startswith(progress)]
    assert len(said) == 1, done.stderr
    assert said[0].startswith("moravec: ")
    for word in words:
        assert word in said[0], (word, said[0])


def copied(run: Path, to: Path) -> Path:
    """A copy of a run, without what others may be writing there now."""
    return shutil.copytree(run, to, ignore=shutil.ignore_patterns("evaluation"))


def complete(run: Path) -> run_folder.RunFolder:
    """The run folder, after checking that it holds everything it should."""
    folder = run_folder.open_run(run)
    for path in (folder.versions, folder.policy, folder.metrics, folder.log):
        assert path.stat().st_size > 0, path
    assert checkpoints.steps(folder.checkpoints)
    assert len(list(folder.tensorboard.glob("events.out.tfevents.*"))) == 1
    strange = [path.name for path in run.rglob("*") if ".tmp" in path.name]
    strange += [path.name for path in folder.checkpoints.iterdir() if not path.name.isdecimal()]
    assert not strange, strange
    return folder
