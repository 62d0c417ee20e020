"""The runs of a sweep as processes: started, adopted from a sweep that was killed, stopped.

Each run has a lock beside its folder. Its descriptor is handed to the training process, so that
the lock is held from the first moment of that process to its last, whatever becomes of the sweep
that started it: two sweeps never train one run at once.
"""

import contextlib
import fcntl
import math
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from environments.errors import UserError
from experiments.sweeps import Variant
from launch import child, configuration, loggers, published, run_folder
from launch.run_folder import RunFolder


@dataclass(frozen=True)
class Task:
    """One run of a sweep."""

    name: str  # LABEL/seed-K
    folder: Path
    arguments: tuple[str, ...]  # of `moravec train` for a new run, without its folder
    needs: tuple[str, ...]  # names of the tasks that must be finished before


def tasks(path: Path, variants: tuple[Variant, ...], seeds: int) -> list[Task]:
    """The runs below `path`: all variants with the first seed, then with the next."""
    return [_task(path, variant, seed) for seed in range(seeds) for variant in variants]


def _task(path: Path, variant: Variant, seed: int) -> Task:
    given = tuple((part, f"{label}/seed-{seed}") for part, label in variant.prerequisites)
    return Task(
        name=f"{variant.label}/seed-{seed}",
        folder=path / variant.label / f"seed-{seed}",
        arguments=(
            variant.experiment,
            *variant.overrides,
            *(f"--prerequisites.{part}={path / name}" for part, name in given),
            f"--seed={seed}",
        ),
        needs=tuple(name for _, name in given),
    )


def finished(folder: Path) -> bool:
    """Whether the run has spent its budget, and has the row of its last policy.

    One that cannot be read is not finished: to resume it mends what can be mended.
    """
    run = RunFolder(folder)
    try:
        experiment, frames = configuration.load(run.config), published.load(run.policy).frames
        rows = loggers.read_csv(run.metrics)
    except UserError:
        return False
    if not rows or rows[-1].get("frames") != frames:  # it is older, or waits to be evaluated
        return False
    beside = experiment.runner.kind != "device" and experiment.evaluation.suites
    if beside and rows[-1].get("evaluated_frames") != frames:
        return False
    limit = experiment.max_minutes * 60 or math.inf
    late = any(row.get("seconds", 0.0) >= limit for row in rows)
    return late or frames >= experiment.max_frames


def progress(folder: Path) -> float:
    """How much of its budget of frames a run has spent, from 0 to 1."""
    run = RunFolder(folder)
    try:
        rows, experiment = loggers.read_csv(run.metrics), configuration.load(run.config)
    except UserError:  # it has only just begun
        return 0.0
    return rows[-1].get("frames", 0) / experiment.max_frames if rows else 0.0


class Job:
    """A run that is being trained: by a child of this process, or of a sweep that is gone."""

    def __init__(self, task: Task):
        """Starts it, or goes on with it; if somebody is training it already, waits for that.

        Raises UserError if the folder cannot be written.
        """
        self.task = task
        self._lock = _lock_path(task)
        with run_folder.files.writing(task.folder):
            task.folder.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # it lives
        else:
            self._process = _start(task, descriptor)
            os.truncate(descriptor, 0)
            os.write(descriptor, str(self._process.pid).encode())
        finally:
            os.close(descriptor)

    @property
    def adopted(self) -> bool:
        """Whether another sweep had started it."""
        return self._process is None

    def running(self) -> bool:
        """Whether it still is at work."""
        if self._process is not None:
            return self._process.poll() is None
        return _locked(self._lock)

    def failure(self) -> str:
        """Why it has ended without being finished; "" if it is finished."""
        if finished(self.task.folder):
            return ""
        said = _last_line(_said_path(self.task))
        code = None if self._process is None else self._process.returncode
        how = f"killed by signal {-code}" if code and code < 0 else f"exit status {code}"
        how = "ended early" if not code else how
        return f"{how}: {said}" if said else how

    def signal(self, number: int) -> None:
        """Sends it a signal, if it still is at work."""
        if not self.running():
            return
        with contextlib.suppress(OSError, ValueError):
            pid = self._process.pid if self._process else int(self._lock.read_text())
            os.kill(pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.signal(signal.SIGKILL)


def _start(task: Task, lock: int) -> "subprocess.Popen[bytes]":
    """The training process, which holds the lock; nobody else works at this run now."""
    if (task.folder / "config.json").exists():
        arguments = ["--resume", str(task.folder)]
    else:  # what was killed before it had a configuration has not been trained
        shutil.rmtree(task.folder, ignore_errors=True)
        arguments = [*task.arguments, "--run-dir", str(task.folder)]
    with open(_said_path(task), "wb") as said:
        return subprocess.Popen(
            child.command("train", *arguments, "--quiet"),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C reaches the sweep alone, which passes it on
        )


def _locked(path: Path) -> bool:
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lock_path(task: Task) -> Path:
    return task.folder.with_name(f".{task.folder.name}.lock")


def _said_path(task: Task) -> Path:
    """What the process says, beside what it writes into its folder."""
    return task.folder.with_name(f"{task.folder.name}.log")


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").split("\n") if path.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
