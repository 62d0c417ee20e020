"""Agents learn to steer: continuous actions from vectors, and from a board with a vector."""

from functools import partial

import jax
import numpy as np
import pytest

from agents.drc.config import DRCConfig
from agents.mlp.config import MLPConfig
from launch import device_program
from launch.rollouts import play
from tests.agents.reach import Reach
from tests.agents.toy import quick_jit

DATA = {
    "unroll_length": 8, "environments": 32, "entropy_cost": 1e-3, "discount": 0.9,
}  # fmt: skip
MLP = MLPConfig(hidden=(32, 32), learning_rate=5e-3, **DATA)
DRC = DRCConfig(
    depth=1, repeats=1, channels=8, encoder_kernel=3, hidden=32, learning_rate=2e-3, **DATA
)


def reached(agent, params, environment) -> float:
    """The part of all targets that the policy reaches greedily."""
    return np.mean(play(agent, params, environment, episodes=environment.num_levels).outcome == 0)


@pytest.mark.parametrize(
    ("config", "board", "iterations"),
    [
        pytest.param(MLP, False, 150, id="mlp"),
        pytest.param(DRC, True, 300, id="drc", marks=pytest.mark.slow),
    ],
)
def test_learns_to_steer_to_the_target(config, board, iterations):
    environment = Reach(board)
    agent = config.make(environment.spec, frames=iterations * 32 * 8)
    init = quick_jit(partial(device_program.init, agent))
    state = init(environment=environment, key=jax.random.key(0))
    # Its mean action is hardly any: what a policy reaches that stays where it is.
    assert reached(agent, state.agent.params, environment) < 0.2
    iterate = quick_jit(partial(device_program.iterate, agent, iterations=iterations))
    state, sums = iterate(environment=environment, state=state)
    assert reached(agent, state.agent.params, environment) > 0.8
    assert all(np.isfinite(x) for x in sums.metrics.values())
