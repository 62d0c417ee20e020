"""Games, agents and experiments of another distribution are known wherever names are looked up."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launch import child
from launch.sweep_jobs import Job, Task
from tests import namesakes
from tests.launch.commands import FRAMES, TINY, assert_one_line, environment, rows

PLUGIN = '''
"""What somebody else registers."""

from dataclasses import dataclass, replace

from agents.cnn.config import CNNConfig
from agents.registry import register as register_agent
from environments import entries
from environments.registry import EnvironmentOptions, register as register_environment
from experiments.registry import register as register_experiment
from experiments.sokoban import sokoban_small
from experiments.sweeps import SWEEPS, Sweep, Variant

assert "sokoban" in entries()  # a plug-in may itself look at what there is


@register_environment("others_game", version=0, tags=("symbolic",), single=print)
@dataclass(frozen=True)
class OthersGame(EnvironmentOptions):
    """A game of another distribution."""


@register_agent("others_agent")
@dataclass(frozen=True)
class OthersAgent(CNNConfig):
    """An agent of another distribution."""

    def make(self, spec, frames):
        return CNNConfig(**vars(self)).make(spec, frames)


@register_experiment
def others_experiment():
    """An experiment of another distribution."""
    agent = OthersAgent(unroll_length=5, environments=4, channels=4, hidden=16, layers=1)
    return replace(sokoban_small(), name="others_experiment", agent=agent)


SWEEPS["others_sweep"] = Sweep("of another distribution", (Variant("one", "others_experiment"),))
'''


def installed(folder: Path, source: str) -> Path:
    """A folder for PYTHONPATH, in which a distribution with a plug-in is installed."""
    information = folder / "others-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / "others_plugin.py").write_text(source)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[moravec.plugins]\nany = others_plugin\n")
    return folder


def run(folder: Path, *args: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), environment()["PYTHONPATH"]])
    return subprocess.run(
        child.command(*args),
        cwd=folder,
        env=environment(PYTHONPATH=path),
        capture_output=True,
        text=True,
        timeout=550,
    )


def test_all_that_it_registers_is_listed(tmp_path):
    done = run(installed(tmp_path, PLUGIN), "list", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert "others_game" in listed["environments"]
    assert "others_agent" in listed["agents"]
    assert "others_experiment" in listed["experiments"]
    assert "others_sweep" in listed["sweeps"]


@pytest.mark.parametrize("registry", ["environments", "agents", "experiments"])
def test_every_registry_finds_it_by_itself(tmp_path, registry):
    names = {"environments": "entries", "agents": "configs", "experiments": "experiments"}
    program = f"from {registry} import registry; print(*registry.{names[registry]}())"
    path = os.pathsep.join([str(installed(tmp_path, PLUGIN)), environment()["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(PYTHONPATH=path),
        capture_output=True,
        text=True,
    )
    assert "others_" in done.stdout, done.stderr


def test_one_that_fails_is_named(tmp_path):
    done = run(installed(tmp_path, "import numpy.nothing_like_it"), "list")
    assert_one_line(done, "others_plugin", "uninstall others", "nothing_like_it")


def test_the_process_of_a_sweep_knows_it(tmp_path, monkeypatch):
    folder = installed(tmp_path / "site", PLUGIN)
    path = os.pathsep.join([str(folder), environment()["PYTHONPATH"]])
    monkeypatch.setenv("PYTHONPATH", path)
    arguments = "others_experiment", "--max-frames", "-1"
    job = Job(Task("a/seed-0", tmp_path / "runs" / "a", arguments, ()))
    while job.running():
        time.sleep(0.01)
    assert "max_frames" in job.failure()  # the experiment was found, and asked


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("runner", [("local", "--runner.processes", "True"), ("ray",)])
def test_every_process_of_a_run_knows_it_and_takes_no_namesake_of_ours(tmp_path, runner):
    pytest.importorskip("reverb")
    folder = namesakes.plant(installed(tmp_path / "site", PLUGIN))
    options = TINY[TINY.index("--environment.levels") :]
    done = run(
        *(folder, "train", "others_experiment", *options, "--runner.kind", *runner),
        *("--runner.actors", "1", "--run-dir", "run"),
    )
    assert done.returncode == 0, done.stderr
    assert rows(folder / "run")[-1]["frames"] >= FRAMES
