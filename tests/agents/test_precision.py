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

CONFIGS = {
    "drc": DRCConfig(depth=2, repeats=2, channels=8, hidden=16, encoder_kernel=3),
    "drc dense pool": DRCConfig(
        depth=1, repeats=1, channels=8, hidden=16, encoder_kernel=3, variant="paper"
    ),
    "resnet": ResNetConfig(stages=(8, 8), kernel=3, hidden=16),
}
TIME, BATCH = 4, 3


def learnt(config, kind: str):
    """The state before and after one update on noise, the metrics, and the core at its end."""
    agent, spec = config.make(board_spec(kind, size=5), frames=1000), board_spec(kind, size=5)
    before = quick_jit(agent.init)(jax.random.key(0))
    unroll = random_unroll(agent, spec, 0, TIME, BATCH)
    after, metrics = quick_jit(agent.update)(before, unroll, jax.random.key(0))
    shown = random_observation(spec, 1, (BATCH,))
    _, extras, core = quick_jit(agent.act, static_argnames="greedy")(
        before.params, jax.random.key(0), shown, jnp.ones(BATCH, bool), unroll.core, greedy=True
    )
    return before, after, metrics, extras, core


@pytest.mark.parametrize("kind", ["planes", "sprites"])
@pytest.mark.parametrize("name", CONFIGS)
def test_only_what_convolutions_compute_is_rounded(name, kind):
    full = learnt(CONFIGS[name], kind)
    half = learnt(replace(CONFIGS[name], precision="bfloat16"), kind)
    chex.assert_trees_all_equal_shapes_and_dtypes(full, half)
    *_, metrics, extras, core = full
    *_, half_metrics, half_extras, half_core = half
    # bfloat16 has 8 bits: a few in a thousand for each operation, and some of them in a row.
    np.testing.assert_allclose(half_extras["log_prob"], extras["log_prob"], atol=0.1)
    np.testing.assert_allclose(half_metrics["grad_norm"], metrics["grad_norm"], rtol=0.1)
    for x, y in zip(jax.tree.leaves(half_core), jax.tree.leaves(core), strict=True):
        np.testing.assert_allclose(x, y, atol=0.05)
    assert not np.array_equal(half_extras["log_prob"], extras["log_prob"])  # it was rounded


@pytest.mark.parametrize("name", CONFIGS)
def test_gradients_point_the_same_way(name):
    before, full, *_ = learnt(CONFIGS[name], "planes")
    _, half, *_ = learnt(replace(CONFIGS[name], precision="bfloat16"), "planes")
    # Adam's first step is the gradient's sign; its first moment is the gradient.
    moments = [state.optimizer[1].mu for state in (full, half)]
    a, b = (np.concatenate([x.ravel() for x in jax.tree.leaves(mu)]) for mu in moments)
    assert np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b) > 0.99
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(half.params))
    assert jax.tree.structure(before) == jax.tree.structure(half)
