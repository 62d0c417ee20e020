"""Machines without Reverb, TensorFlow and Acme: here, and under a later Python if there is one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.offline import skip_if_offline
from tests.tutorials import ROOT

SCRIPT = ROOT / "tests" / "without_replay.py"
LATER = "3.12"


def run(python: str | Path, folder: Path) -> dict:
    """What the script prints last."""
    # As users compile, and without flags that the XLA of another Python need not know.
    alone = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    done = subprocess.run(
        [python, SCRIPT, folder],
        capture_output=True, text=True, timeout=250, cwd=folder.parent, env=alone,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def assert_worked(found: dict) -> None:
    assert found["failed"] == {}  # every module was imported
    assert found["present"] == []
    assert found["frames"] >= 1000
    assert found["film"] > 1000  # bytes
    status, said = found["refused"]
    assert status == 2
    assert said.splitlines()[-1].startswith("moravec: runner.kind=local needs dm-reverb")


def later_python(uv: str, environment: dict[str, str]) -> str | None:
    """An interpreter that uv finds, or pyenv keeps; None if there is none."""
    find = [uv, "python", "find", LATER]
    found = subprocess.run(find, env=environment, capture_output=True, text=True)
    if found.returncode == 0:
        return found.stdout.strip()
    kept = sorted(Path.home().glob(f".pyenv/versions/{LATER}.*/bin/python"))
    return str(kept[-1]) if kept else None


@pytest.mark.slow
def test_all_but_the_replay_works_without_its_libraries(tmp_path):
    found = run(sys.executable, tmp_path / "new")
    assert_worked(found)
    assert found["python"] == list(sys.version_info[:2])


@pytest.mark.slow
@pytest.mark.timeout(1000)  # hundreds of megabytes, where they were not yet downloaded
def test_it_works_under_a_later_python_with_its_own_versions(tmp_path):
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not there, which makes the environment")
    alone = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    place = alone | {"UV_PYTHON_DOWNLOADS": "never", "UV_PROJECT_ENVIRONMENT": f"{tmp_path}/venv"}
    python = later_python(uv, place)
    if python is None:
        pytest.skip(f"there is no Python {LATER}")
    sync = [uv, "sync", "--quiet", "--no-dev", "--python", python]
    done = subprocess.run(sync, cwd=ROOT, env=place, capture_output=True, text=True, timeout=700)
    skip_if_offline(done.stderr)
    assert done.returncode == 0, done.stderr
    document = run(tmp_path / "venv" / "bin" / "python", tmp_path / "new")
    assert_worked(document)
    assert document["python"] == [3, 12]
