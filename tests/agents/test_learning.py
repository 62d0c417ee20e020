"""Every agent learns a toy in seconds; and learns the same without jit."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

from agents.cnn.config import CNNConfig
from agents.drc.config import DRCConfig
from agents.resnet.config import ResNetConfig
from launch import device_program
from launch.rollouts import play
from tests.agents.toy import Chase, ChaseImagined, fast_jit, quick_jit

DATA = {
    "unroll_length": 8, "environments": 32, "hidden": 32, "learning_rate": 1e-2,
    "adam_epsilon": 1e-6, "clip_norm": 1.0,
}  # fmt: skip
CONFIGS = {
    "drc": DRCConfig(depth=1, repeats=2, channels=8, encoder_kernel=3, **DATA),
    "drc bfloat16": DRCConfig(
        depth=1, repeats=2, channels=8, encoder_kernel=3, precision="bfloat16", **DATA
    ),
    "resnet": ResNetConfig(stages=(8,), kernel=3, **DATA),
    "resnet bfloat16": ResNetConfig(stages=(8,), kernel=3, precision="bfloat16", **DATA),
    "cnn": CNNConfig(layers=1, channels=16, **DATA),
    "i2a": ChaseImagined(
        rollout_length=2,
        channels=(16,),
        rollout_channels=8,
        encoder_units=16,
        rollout_policy_hidden=16,
        **DATA,
    ),
}
QUICK = ("drc", "cnn")  # one with memory and one without
CHASE = Chase.make()
ITERATIONS = 80  # of which each is 32 x 8 steps


def begin(config, iterations: int):
    agent = config.make(CHASE.spec, frames=40_000)
    init = quick_jit(partial(device_program.init, agent))
    state = init(environment=CHASE, key=jax.random.key(0))
    return agent, state, partial(device_program.iterate, agent, iterations=iterations)


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(config, marks=[] if name in QUICK else [pytest.mark.slow])
        for name, config in CONFIGS.items()
    ],
    ids=CONFIGS,
)
def test_learns_to_walk_onto_the_goal(config):
    agent, state, iterate = begin(config, ITERATIONS)
    untrained = play(agent, state.agent.params, CHASE, episodes=72)
    iterate = fast_jit(iterate)
    state, _ = iterate(environment=CHASE, state=state)
    state, sums = iterate(environment=CHASE, state=state)
    trained = play(agent, state.agent.params, CHASE, episodes=72)
    assert np.mean(untrained.outcome == 0) < 0.4
    assert np.mean(trained.outcome == 0) > 0.95
    assert sums.episodes.successes / sums.episodes.episodes > 0.9  # sampled, on the way there


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(config, marks=pytest.mark.slow if name == "cnn" else pytest.mark.soak)
        for name, config in CONFIGS.items()
        if "bfloat16" not in name  # rounds otherwise, fused
    ],
    ids=[name for name in CONFIGS if "bfloat16" not in name],
)
def test_learns_the_same_without_jit(config):
    small = {"unroll_length": 3, "environments": 4, "hidden": 4}
    narrow: dict[str, Any] = {"channels": 2}
    if isinstance(config, ResNetConfig):
        narrow = {"stages": (2,)}
    elif isinstance(config, ChaseImagined):
        narrow = {"channels": (2,), "rollout_channels": 2, "encoder_units": 3}
    _, state, iterate = begin(replace(config, **small, **narrow), iterations=2)
    compiled, sums = quick_jit(iterate)(environment=CHASE, state=state)
    with jax.disable_jit():
        plain, plain_sums = iterate(environment=CHASE, state=state)
    for found, expected in (
        (compiled.agent.params, plain.agent.params), (sums, plain_sums),
    ):  # fmt: skip
        pairs = zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True)
        for x, y in pairs:
            np.testing.assert_allclose(x, y, atol=1e-5)
    assert int(compiled.agent.updates) == int(plain.agent.updates) == 2
