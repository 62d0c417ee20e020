"""Runs with a replay end as soon as training diverges, and keep what was good."""

import numpy as np
import pytest

from launch import checkpoints, published
from tests.launch.commands import TINY, moravec, rows

pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")


@pytest.mark.parametrize("kind", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_it_ends_names_what_is_not_finite_and_keeps_the_last_good_checkpoint(tmp_path, kind):
    run = tmp_path / "run"
    options = ("--runner.kind", kind, "--agent.learning-rate", "1e30")
    done = moravec("train", *TINY, *options, "--run-dir", run)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("moravec: "))
    assert " is nan after " in line
    assert f"train --config {run / 'config.json'} --agent.learning-rate" in line
    steps = checkpoints.steps(run / "checkpoints")
    kept = f"the checkpoint of frame {steps[-1]} is kept" if steps else "there is no checkpoint"
    assert kept in line
    assert all(np.isfinite(list(row.values())).all() for row in rows(run))
    if steps:
        params = published.load(run / "policy.npz").params
        assert all(np.isfinite(array).all() for array in params.values())
