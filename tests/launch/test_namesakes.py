"""Packages called like ours, in the working directory or earlier on the path, are not taken."""

import os
import subprocess
import sys
import time

import pytest

from launch import child, doctor
from launch.sweep_jobs import Job, Task
from tests import namesakes
from tests.launch.commands import ROOT, environment


@pytest.fixture
def place(tmp_path):
    return namesakes.plant(tmp_path / "other")


def run(command, place, seconds=150, **variables):
    return subprocess.run(
        command,
        cwd=place,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=seconds,
    )


@pytest.mark.parametrize("module", ["moravec", "launch.cli"])
def test_they_would_be_taken_if_nobody_took_care(place, module):
    done = run([sys.executable, "-m", module, "list", "agents"], place)
    assert (done.returncode == 0) == (module == "moravec"), done.stderr
    assert (namesakes.WRONG in done.stderr) == (module == "launch.cli")


@pytest.mark.parametrize("command", [[sys.executable, "-m", "moravec"], child.command()])
def test_earlier_on_the_path(place, tmp_path, command):
    path = os.pathsep.join([str(place), str(ROOT)])
    done = run([*command, "list", "agents"], tmp_path, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert "drc" in done.stdout


def test_a_child_needs_nothing_on_the_path(place):
    done = run(child.command("list", "agents"), place, PYTHONPATH=None)
    assert done.returncode == 0, done.stderr
    assert "drc" in done.stdout


def test_the_doctors_checks(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr(doctor, "CHECKS", {"Python": doctor.CHECKS["Python"]})
    assert {finding.status for finding in doctor.examine_all().values()} == {"ok"}


def test_a_run_of_a_sweep(place, monkeypatch):
    monkeypatch.chdir(place)
    job = Job(Task("a/seed-0", place / "runs" / "a", ("no_such_experiment",), ()))
    while job.running():
        time.sleep(0.01)
    assert "no_such_experiment" in job.failure()  # our command line has read it
