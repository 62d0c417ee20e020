"""Agents that see only a board act and learn as recorded before any other input was read."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.agents.test_agents import CONFIGS
from tests.agents.toy import board_spec, quick_jit, random_observation, random_unroll

# The actions and log-probabilities on six boards, and after one update the sum of the parameters'
# sizes and the gradient's norm.
RECORDED = {
    "drc": (
        [0, 2, 0, 0, 0, 3],
        [-0.794403, -1.909047, -0.678573, -0.665884, -0.770695, -1.187494],
        612.90464,
        3.535228,
    ),
    "resnet": (
        [1, 2, 1, 1, 2, 3],
        [-1.207562, -1.220405, -1.20554, -1.181401, -1.208161, -1.589178],
        355.27310,
        1.816986,
    ),
    "cnn": (
        [1, 2, 1, 2, 0, 3],
        [-1.377543, -1.343346, -1.436716, -1.353027, -1.318325, -1.47432],
        96.33570,
        0.694740,
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_acts_and_learns_as_recorded(name):
    config, spec = CONFIGS["drc open" if name == "drc" else name], board_spec("planes", size=4)
    actions, log_probs, size, norm = RECORDED[name]
    agent = config.make(spec, frames=1000)
    state, shown = quick_jit(agent.init)(jax.random.key(0)), random_observation(spec, 0, (6,))
    found, extras, _ = quick_jit(agent.act, static_argnames="greedy")(
        state.params, jax.random.key(1), shown, jnp.ones(6, bool), agent.initial_core(6),
        greedy=False,
    )  # fmt: skip
    assert found.tolist() == actions
    assert set(extras) == {"log_prob"}
    np.testing.assert_allclose(extras["log_prob"], log_probs, atol=1e-5)
    unroll = random_unroll(agent, spec, 0, time=4, batch=3)
    state, metrics = quick_jit(agent.update)(state, unroll, jax.random.key(2))
    assert metrics["grad_norm"] == pytest.approx(norm, rel=1e-4)
    sizes = (np.sum(np.abs(np.asarray(x, np.float64))) for x in jax.tree.leaves(state.params))
    assert sum(sizes) == pytest.approx(size, rel=1e-5)
