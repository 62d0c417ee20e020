"""Slow tests end in time, and in time all of them run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = "abc"
TEST = """
import os, pytest

@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_slow(number):
    if "{name}{{}}".format(number) == os.environ["LAST"]:
        os.environ["SLOW_TESTS_UNTIL"] = "1"  # while it runs, the time is over

def test_quick():
    pass
"""


def run(folder: Path, *args: str, last: str = "", **variables: str) -> tuple[list[str], str]:
    """The tests that passed, in their order, and all that was said."""
    for name in FILES:
        (folder / f"test_{name}.py").write_text(TEST.format(name=name))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = slow\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.deadline", "-v", *args],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "LAST": last,
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.findall(r"^test_(.)\.py::test_(\w+)(?:\[(.)\])? PASSED", done.stdout, re.MULTILINE)
    return [file + (number or kind) for file, kind, number in passed], done.stdout


@pytest.fixture(autouse=True)
def _no_deadline_of_this_run(monkeypatch):
    for name in ("SLOW_TESTS_UNTIL", "SLOW_TESTS_COMMIT", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_deadline_all_run_in_order(tmp_path):
    passed, said = run(tmp_path, "-m", "slow")
    assert passed == ["a0", "a1", "b0", "b1", "c0", "c1"]
    assert "left out" not in said


def test_a_commit_decides_which_file_is_the_first(tmp_path):
    commit = f"{0xA5 * 3 + 2:040x}"
    passed, said = run(tmp_path, "-m", "slow", SLOW_TESTS_UNTIL="9e9", SLOW_TESTS_COMMIT=commit)
    assert passed == ["c0", "c1", "a0", "a1", "b0", "b1"]
    assert "slow tests: 6 ran, 0 left out" in said


def test_what_has_begun_ends_and_nothing_slow_begins_after(tmp_path):
    passed, said = run(tmp_path, last="b0", SLOW_TESTS_UNTIL="9e9", SLOW_TESTS_COMMIT="1")
    assert passed == ["b0", "bquick", "cquick", "aquick"]
    assert "slow tests: 4 ran, 5 left out (no time left)" in said
