"""The run folder: everything that one training run writes, and the lock that keeps others out."""

import contextlib
import datetime
import fcntl
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from environments.errors import UserError, reason
from launch import files, pretrained

_LOCK = ".lock"


@dataclass(frozen=True)
class RunFolder:
    """Where the parts of a run lie."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved experiment: `configuration.load` rebuilds everything from it."""
        return self.path / "config.json"

    @property
    def versions(self) -> Path:
        """What the run was made with: packages, environments, git revision, devices."""
        return self.path / "versions.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of training states."""
        return self.path / "checkpoints"

    @property
    def replay(self) -> Path:
        """The folder of what replay servers hold, if it is to be kept."""
        return self.path / "replay"

    @property
    def policy(self) -> Path:
        """The newest published policy."""
        return self.path / "policy.npz"

    @property
    def initial_policy(self) -> Path:
        """The parameters that the run began with, if they were given."""
        return self.path / "initial_policy.npz"

    @property
    def initial_policy_record(self) -> Path:
        """Which run these are from, and how many frames they took."""
        return self.path / "initial_policy.json"

    @property
    def demonstrations(self) -> Path:
        """What is learnt from beside the agent's own play, if there is any."""
        return self.path / "demonstrations.npz"

    @property
    def levels(self) -> Path:
        """What its level files held when it began; see `level_record`."""
        return self.path / "levels.json"

    @property
    def prerequisites(self) -> Path:
        """The folder of the runs that this one begins with, each under its name."""
        return self.path / "prerequisites"

    @property
    def prerequisites_record(self) -> Path:
        """Which of them stand, and how many frames they took; see `prerequisites.frames`."""
        return self.path / "prerequisites.json"

    @property
    def companions(self) -> Path:
        """The folder of what is kept of the runs that its environment goes by."""
        return self.path / "companions"

    @property
    def metrics(self) -> Path:
        """The rows of metrics as CSV."""
        return self.path / "metrics.csv"

    @property
    def tensorboard(self) -> Path:
        """The folder of TensorBoard's event files."""
        return self.path / "tensorboard"

    @property
    def log(self) -> Path:
        """The same rows, and messages, for people."""
        return self.path / "log.txt"

    @property
    def evaluation(self) -> Path:
        """The folder of evaluation results."""
        return self.path / "evaluation"

    @property
    def videos(self) -> Path:
        """The folder of videos."""
        return self.path / "videos"


def create_default(experiment: str) -> RunFolder:
    """A new run folder where the user names none: runs/<experiment>/<date-time>.

    Of several runs that begin in the same second the later ones get a number behind it.

    Raises UserError if it cannot be made.
    """
    now = datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    parent = Path("runs") / experiment
    for number in itertools.count(1):
        path = parent / (now if number == 1 else f"{now}_{number}")
        with files.writing(path):
            parent.mkdir(parents=True, exist_ok=True)
            try:
                path.mkdir()
            except FileExistsError:
                continue
        return create(path)
    raise AssertionError  # it counts for ever


def check_new(path: Path) -> None:
    """Raises UserError if something is at `path` already that a new run would disturb."""
    with files.writing(path):
        if path.exists() and not path.is_dir():
            raise UserError(f"{path} is a file: choose another --run-dir")
        if path.is_dir() and set(os.listdir(path)) - {_LOCK}:
            resume = f"--resume {path} continues it; or " if (path / "config.json").exists() else ""
            raise UserError(f"{path} exists and is not empty: {resume}choose another --run-dir")


def create(path: Path) -> RunFolder:
    """A new run folder at `path`, empty.

    Raises:
      UserError: something is there already, or it cannot be made.
    """
    check_new(path)
    with files.writing(path):
        path.mkdir(parents=True, exist_ok=True)
        # A folder may be there already and refuse new files.
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        os.close(descriptor)
    return RunFolder(path)


def open_run(path: Path) -> RunFolder:
    """The run folder at `path`, or `pretrained:NAME`. Raises UserError if there is none."""
    path = pretrained.folder(path)
    try:
        if (path / "config.json").is_file():
            return RunFolder(path)
        what = "has no config.json" if path.is_dir() else "is not a folder"
        what = what if path.exists() else "does not exist"
    except OSError as error:
        what = f"cannot be read ({reason(error)})"
    raise UserError(f"{path} is not a run: it {what}; give the folder that moravec train made")


def remove_unused(run: RunFolder) -> None:
    """Removes what was written before training began, if it did not: there is nothing to resume."""
    if run.metrics.exists() or run.checkpoints.exists():
        return
    if any(run.prerequisites.rglob(run.metrics.name)):
        return
    for path in (
        *(run.config, run.versions, run.initial_policy, run.demonstrations),
        *(run.levels, run.initial_policy_record, run.prerequisites_record, run.path / _LOCK),
    ):
        path.unlink(missing_ok=True)
    for path in (run.replay, run.prerequisites, run.companions):
        shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):  # something else is there
        run.path.rmdir()


@contextmanager
def lock(run: RunFolder) -> Iterator[None]:
    """Keeps other processes from writing the run; however this one ends, the lock goes with it.

    Raises:
      UserError: another process is writing it.
    """
    with files.writing(run.path):
        descriptor = os.open(run.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode(errors="replace").strip()
            raise UserError(
                f"{run.path} is being written by process {owner}: wait for it, or stop it first"
            ) from None
        with files.writing(run.path):
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        for folder in (run.path, run.checkpoints, run.replay):
            files.remove_unfinished(folder)
        yield
    finally:
        os.close(descriptor)
