"""Half precision: what stays float32, and how far what is computed may be off."""

from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.drc.config import DRCConfig
from agents.resnet.config import ResNetConfig
from tests.agents.toy import board_spec, quick_jit, random_observation, random_unroll

SMALL = {"channels": 8, "hidden": 16, "encoder_kernel": 3}
CASES = {  # each with what it sees
    "drc": (DRCConfig(depth=1, repeats=2, **SMALL), "planes"),
    "drc of the paper": (DRCConfig(depth=2, repeats=1, variant="paper", **SMALL), "sprites"),
    "resnet": (ResNetConfig(stages=(8, 8), kernel=3, hidden=16), "planes"),
}
TIME, BATCH = 4, 3


def learnt(config, kind: str):
    """The state after one update on noise, its metrics, and what acting gives before it."""
    agent, spec = config.make(board_spec(kind, size=5), frames=1000), board_spec(kind, size=5)
    before = quick_jit(agent.init)(jax.random.key(0))
    unroll = random_unroll(agent, spec, 0, TIME, BATCH)
    after, metrics = quick_jit(agent.update)(before, unroll, jax.random.key(0))
    shown = random_observation(spec, 1, (BATCH,))
    _, extras, core = quick_jit(agent.act, static_argnames="greedy")(
        before.params, jax.random.key(0), shown, jnp.ones(BATCH, bool), unroll.core, greedy=True
    )
    return after, metrics, extras, core


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        pytest.param(*case, marks=[pytest.mark.slow] if name == "drc of the paper" else [])
        for name, case in CASES.items()
    ],
    ids=CASES,
)
def test_only_what_convolutions_compute_is_rounded(config, kind):
    full = learnt(config, kind)
    half = learnt(replace(config, precision="bfloat16"), kind)
    chex.assert_trees_all_equal_shapes_and_dtypes(full, half)
    state, metrics, extras, core = full
    half_state, half_metrics, half_extras, half_core = half
    # bfloat16 has 8 bits: a few in a thousand for each operation, and some of them in a row.
    np.testing.assert_allclose(half_extras["log_prob"], extras["log_prob"], atol=0.1)
    np.testing.assert_allclose(half_metrics["grad_norm"], metrics["grad_norm"], rtol=0.1)
    for x, y in zip(jax.tree.leaves(half_core), jax.tree.leaves(core), strict=True):
        np.testing.assert_allclose(x, y, atol=0.05)
    assert not np.array_equal(half_extras["log_prob"], extras["log_prob"])  # it was rounded
    # Adam's first moment, after one update, is the gradient: it points the same way.
    moments = [each.optimizer[1].mu for each in (state, half_state)]
    a, b = (np.concatenate([x.ravel() for x in jax.tree.leaves(mu)]) for mu in moments)
    assert np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b) > 0.99
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(half_state.params))
