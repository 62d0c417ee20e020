"""Training really learns, through the command line; and without the replay libraries."""

import json
import subprocess

import pytest

from launch import loggers
from tests.launch.commands import ROOT, command, environment

SUITE = "generated:size=6,boxes=1,count=300,seed=1,split=held_out"
FRAMES = 600_000


def run_to_the_end(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Without the time limit that is meant for small commands, and compiled as users do."""
    as_users = environment(XLA_FLAGS=None)
    done = subprocess.run(
        arguments, cwd=ROOT, env=as_users, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_default_experiment_learns_to_solve_levels_that_it_never_saw(tmp_path):
    """Less than half of its budget; a policy that has not learnt solves less than a quarter."""
    run = tmp_path / "run"
    options = ("--evaluation.suites", SUITE, "--max-frames", FRAMES, "--run-dir", run)
    run_to_the_end(command("train", *options))
    rows = loggers.read_csv(run / "metrics.csv")
    assert rows[0]["success_rate"] < 0.25
    assert rows[-1]["success_rate"] > 0.45
    (found,) = json.loads(run_to_the_end(command("evaluate", run, "--json")).stdout)
    assert found["episodes"] == 300
    assert found["rate"] == rows[-1][f"evaluation/{SUITE}"]
    assert found["ci95"][0] > 0.4
    by_chance = command("evaluate", "random", "--suite", SUITE, "--json")
    (floor,) = json.loads(run_to_the_end(by_chance).stdout)
    assert floor["ci95"][1] < found["ci95"][0]
