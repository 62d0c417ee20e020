"""Ends a run whose numbers are no longer finite, before it writes them over good ones."""

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from launch import checkpoints
from launch.outcome import RunFailed, program
from launch.run_folder import RunFolder


class Diverged(RunFailed):
    """Training computed a number that is infinite or NaN."""


def check(run: RunFolder, frames: int, metrics: Mapping[str, Any], learnt: Any = ()) -> None:
    """Raises Diverged, naming the first metric or array that is not finite.

    Args:
      run: whose.
      frames: learnt from so far.
      metrics: numbers by name.
      learnt: a pytree of arrays; only those of floats are looked at.
    """
    bad = {name: float(value) for name, value in metrics.items() if not math.isfinite(value)}
    for path, leaf in jax.tree_util.tree_leaves_with_path(learnt):
        if jnp.issubdtype(leaf.dtype, jnp.floating):
            values = np.asarray(leaf, np.float32)
            if not np.isfinite(values).all():
                name = jax.tree_util.keystr(path, simple=True, separator="/")
                bad[name] = float(values[~np.isfinite(values)][0])
    if not bad:
        return
    name, value = next(iter(bad.items()))
    steps = checkpoints.steps(run.checkpoints)
    kept = f"the checkpoint of frame {steps[-1]:,} is kept" if steps else "there is no checkpoint"
    raise Diverged(
        f"{name} is {value} after {frames:,} frames: training has diverged; {kept}; begin again "
        f"with a lower learning rate: {program()} train --config {run.config} "
        f"--agent.learning-rate RATE"
    )
