"""A trained run that the tests of this folder share."""

import fcntl
import os
from pathlib import Path

import pytest

from launch import cli
from tests.launch.commands import TINY, moravec


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A finished run of the tiny agent, made once for all workers. Not to be changed: copy it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    run, said = shared / "trained", shared / "trained.stderr"
    with open(shared / "trained.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            done = moravec("train", *TINY, "--run-dir", run)
            assert done.returncode == 0, done.stderr
            assert done.stdout == ""
            said.write_text(done.stderr)
    return run


@pytest.fixture(scope="session")
def trained_said(trained) -> str:
    """What that run said on standard error."""
    return trained.with_suffix(".stderr").read_text()


@pytest.fixture
def mistake(capsys):
    """Runs a command in this process; gives its one line, after checking that it is one."""

    def run(*args) -> str:
        assert cli.main([str(arg) for arg in args]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        progress = ("starting", "loading levels", "compiling", "playing ")
        (line,) = (line for line in err.splitlines() if not line.startswith(progress))
        assert line.startswith("moravec: ")
        return line

    return run
