"""A trained run that the tests of this folder share."""

import fcntl
import os
from pathlib import Path

import pytest

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
