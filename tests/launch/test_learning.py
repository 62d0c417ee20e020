"""Training really learns: the default experiment, shortened, through the real runner."""

import subprocess
import sys
from dataclasses import replace

import pytest

from experiments import registry
from launch import configuration, loggers, run_folder
from launch.device_runner import DeviceRunner
from launch.evaluation import Contestant, evaluate
from launch.policy import load_policy
from launch.progress import Display
from launch.signals import Stop
from tests.launch.commands import ROOT, TINY, complete, environment, rows

SUITE = "generated:size=6,boxes=1,count=300,seed=1,split=held_out"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_default_experiment_learns_to_solve_levels_that_it_never_saw(tmp_path):
    """About 300,000 frames of a schedule made for as many."""
    experiment = registry.load(registry.DEFAULT)
    experiment = replace(
        experiment,
        environment=replace(
            experiment.environment, levels="generated:size=6,boxes=1,count=5000,seed=0"
        ),
        evaluation=replace(experiment.evaluation, suites=(SUITE,), every_frames=0),
        max_frames=300_000,
    )
    run = run_folder.create(tmp_path / "run")
    configuration.save(experiment, run.config)
    runner = DeviceRunner(experiment)
    outcome = runner.train(run, Display(), Stop())
    assert outcome.finished
    (reached,) = outcome.evaluation.values()
    log = loggers.read_csv(run.metrics)
    assert log[0]["success_rate"] < 0.35
    assert log[-1]["success_rate"] > 0.6
    assert reached > 0.6
    policy = load_policy(run.path)
    result = evaluate(
        Contestant(
            "run", policy.frames, policy.agent, policy.params, experiment.environment, policy.spec
        ),
        SUITE,
    )
    assert result.rate == pytest.approx(reached, abs=0.01)


# As if they were not installed: nothing finds them, and nothing fails that only looks for them.
_BLOCKED = """
import importlib.machinery, sys

NAMES = ("reverb", "tensorflow", "acme")

class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in NAMES else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Finder
from launch.cli import main
status = main(sys.argv[1:])
assert not [name for name in sys.modules if name.split(".")[0] in NAMES]
sys.exit(status)
"""


def test_trains_without_reverb_tensorflow_and_acme(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _BLOCKED, "train", *TINY, "--run-dir", tmp_path / "run"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    complete(tmp_path / "run")
    assert rows(tmp_path / "run")[-1]["frames"] >= 1500
