"""Every agent acts and learns on what the embedded games show, by noise of the right shapes."""

from dataclasses import replace
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs

import environments
from agents.actor_critic.policies import bounds
from agents.base import Unroll
from agents.cnn.config import CNNConfig
from agents.drc.config import DRCConfig
from agents.mlp.config import MLPConfig
from agents.random.agent import make as make_random
from agents.resnet.config import ResNetConfig
from environments.base import EnvironmentSpec
from environments.errors import UserError
from tests.agents.toy import board_spec, noise_state, quick_jit, random_observation, randomised

TIME, BATCH = 3, 2
LEVELS = "generated:size=6,boxes=1,count=2,seed=0"
AGENTS = {
    "drc": DRCConfig(depth=1, repeats=1, channels=4, hidden=8),
    "resnet": ResNetConfig(stages=(4,), hidden=8),
    "cnn": CNNConfig(layers=1, channels=4, hidden=8),
    "mlp": MLPConfig(hidden=(8,)),
}


CAMERA = specs.BoundedArray((40, 40, 3), np.uint8, 0, 255, name="walker/egocentric_camera")
CASES = [
    *((name, game) for name in AGENTS for game in ("mujoban", "mujoxo")),
    ("cnn", "camera"),  # the three with a board take in the rest alike
    ("mlp", "camera"),
    ("mlp", "sokoban"),
]


@cache
def spec_of(name: str) -> EnvironmentSpec:
    if name == "sokoban":
        return board_spec("planes", size=6)
    if name == "camera":
        spec = spec_of("mujoban")
        return replace(spec, observation={**spec.observation, CAMERA.name: CAMERA})
    options: dict[str, Any] = {"levels": LEVELS} if name == "mujoban" else {}
    game: Any = environments.load(name, **options)
    return game.spec


def gather(agent, spec, params) -> Unroll:
    """An unroll of noise with the agent's own actions, step by step."""
    shown = random_observation(spec, 0, (TIME + 1, BATCH))
    none = jnp.zeros((TIME + 1, BATCH), bool)

    def step(core, inputs):
        now, key = inputs
        action, extras, core = agent.act(params, key, now, none[0], core, greedy=False)
        return core, (action, extras)

    keys = jax.random.split(jax.random.key(0), TIME)
    first, core = jax.tree.map(lambda x: x[:-1], shown), agent.initial_core(BATCH)
    _, (action, extras) = jax.lax.scan(step, core, (first, keys))
    reward = jnp.asarray(np.random.default_rng(0).normal(size=(TIME, BATCH)), jnp.float32)
    return Unroll(shown, none, none, action, reward, jnp.ones_like(reward), extras, core)


def gather_and_learn(agent, spec, state) -> tuple:
    """The unroll, the state that learning from it gives, and the metrics."""
    unroll = gather(agent, spec, state.params)
    return unroll, *agent.update(state, unroll, jax.random.key(0))


@pytest.mark.parametrize(("name", "environment"), CASES)
def test_acts_and_learns(name, environment):
    spec = spec_of(environment)
    agent = AGENTS[name].make(spec, frames=1000)
    # Small parameters: what an agent begins with is of that size, and so are its means.
    state = noise_state(agent, seed=0)
    state = replace(state, params=randomised(state.params, 0, scale=0.05))
    unroll, after, metrics = quick_jit(partial(gather_and_learn, agent, spec))(state)
    assert unroll.action.shape == (TIME, BATCH, *spec.action.shape)
    for action in np.asarray(unroll.action).reshape(-1, *spec.action.shape):
        spec.action.validate(action)
    assert metrics["importance_weight"] == pytest.approx(1.0, abs=1e-4)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves((after.params, metrics)))
    params = jax.device_get((state.params, after.params))
    changed = jax.tree.map(lambda x, y: bool(np.any(x != y)), *params)
    assert all(jax.tree.leaves(changed)), changed


@pytest.mark.slow
def test_acting_is_what_is_learnt_from_without_jit():
    spec = spec_of("mujoxo")
    agent = AGENTS["mlp"].make(spec, frames=1000)
    with jax.disable_jit():
        _, _, metrics = gather_and_learn(agent, spec, noise_state(agent, seed=0))
    assert metrics["importance_weight"] == pytest.approx(1.0, abs=1e-4)


def test_without_a_board_only_the_mlp_is_at_home():
    spec = replace(spec_of("mujoban"), observation={"place": specs.Array((2,), np.float32)})
    quick_jit(AGENTS["mlp"].make(spec, frames=1).init)(jax.random.key(0))
    for name in ("drc", "resnet", "cnn"):
        with pytest.raises(UserError, match="images of one size that show the board"):
            AGENTS[name].make(spec, frames=1)


def test_random_actions_fill_the_bounds():
    spec = spec_of("mujoxo")
    agent = make_random(spec)
    first = jnp.ones(2000, bool)
    action, extras, _ = agent.act((), jax.random.key(0), {}, first, (), greedy=False)
    low, high = bounds(spec.action)
    assert np.all((action >= low) & (action <= high))
    np.testing.assert_allclose(np.max(action, axis=0), high, rtol=0.01)
    np.testing.assert_allclose(np.min(action, axis=0), low, rtol=0.01)
    np.testing.assert_allclose(extras["log_prob"], -np.sum(np.log(high - low)), rtol=1e-5)
