"""I2A as an agent: what learns and what does not, and what its losses reach."""

from dataclasses import replace
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs

from agents.actor_critic.parts import Parts
from agents.i2a.config import I2AConfig
from agents.i2a.networks import DISTILLATION, i2a_network
from agents.models.config import ModelConfig
from agents.models.make import make_model
from environments.errors import UserError
from launch import published
from tests.agents.toy import (
    board_spec,
    noise_state,
    quick_jit,
    random_observation,
    random_unroll,
    randomised,
)

SPEC = board_spec("planes", size=4)
CONFIG = I2AConfig(
    model=ModelConfig(kind="learned", channels=3, blocks=1), rollout_length=2, channels=(3,),
    hidden=6, rollout_channels=2, encoder_units=4, rollout_policy_hidden=7, unroll_length=4,
    environments=4,
)  # fmt: skip


def moved(before, after) -> dict[str, bool]:
    """Whether each parameter is another."""
    changed = jax.tree.map(lambda x, y: bool(np.any(x != y)), *jax.device_get((before, after)))
    return {published._name(path): x for path, x in jax.tree_util.tree_leaves_with_path(changed)}


def test_the_model_is_frozen_and_all_else_learns():
    agent = CONFIG.make(SPEC, frames=1000)
    state = noise_state(agent, 0)
    unroll = random_unroll(agent, SPEC, 0, time=4, batch=3)
    after, metrics = quick_jit(agent.update)(state, unroll, jax.random.key(0))
    assert set(state.params) == {"agent", "model"}
    changed = moved(state.params, after.params)
    assert {name.split("/")[0] for name, x in changed.items() if not x} == {"model"}
    assert all(x for name, x in changed.items() if name.startswith("agent/"))
    assert any(name.startswith("model/") for name in changed)
    # The optimizer holds two moments of what learns, a counter, and nothing of the model.
    leaves = jax.tree.leaves(state.optimizer)
    assert len(leaves) == 1 + 2 * len(jax.tree.leaves(state.params["agent"]))
    assert 0 < metrics[DISTILLATION] < 10


@pytest.mark.parametrize("compiled", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_distillation_reaches_the_rollout_policy_alone_and_nothing_else_does(compiled):
    """Its gradient is zero in the acting policy and the model, that of the rest only there."""
    network = i2a_network(CONFIG, SPEC, make_model(CONFIG.model, SPEC))
    agent = CONFIG.make(SPEC, frames=1)
    params = noise_state(agent, 0).params
    unroll = random_unroll(agent, SPEC, 0, time=1, batch=2)
    transformed = hk.without_apply_rng(hk.transform(network.unroll))

    def losses(params):
        output, _ = transformed.apply(
            params["agent"], unroll.observation, unroll.is_first, (), model=params["model"]
        )
        rest = jnp.sum(jnp.square(output.logits)) + jnp.sum(output.value)
        return jnp.sum(output.auxiliary[DISTILLATION]), rest

    jacobian = jax.jacrev(losses)
    if compiled:
        distillation, rest = quick_jit(jacobian)(params)
    else:
        with jax.disable_jit():
            distillation, rest = jacobian(params)
    zeros = jax.tree.map(jnp.zeros_like, params)
    for name, reached in moved(zeros, distillation).items():
        assert reached == ("rollout_policy" in name), name
    for name, reached in moved(zeros, rest).items():
        assert reached == (name.startswith("agent/") and "rollout_policy" not in name), name


def test_the_rollout_policy_follows_the_policy_among_legal_actions():
    """Only action 2 is legal: towards it alone the rollout policy, still uniform, is drawn."""
    mask = specs.BoundedArray((4,), bool, False, True, name="legal_actions")
    spec = replace(SPEC, observation={**SPEC.observation, "legal_actions": mask})
    network = i2a_network(CONFIG, spec, make_model(CONFIG.model, spec))
    params: Any = CONFIG.make(spec, frames=1).init(jax.random.key(0)).params
    planes = random_observation(SPEC, 0, (1, 3))
    observation = {**planes, "legal_actions": jnp.broadcast_to(jnp.arange(4) == 2, (1, 3, 4))}
    transformed = hk.without_apply_rng(hk.transform(network.unroll))

    def distillation(learnt):
        is_first = jnp.zeros((1, 3), bool)
        output, _ = transformed.apply(learnt, observation, is_first, (), model=params["model"])
        return jnp.sum(output.auxiliary[DISTILLATION])

    gradient = quick_jit(jax.grad(distillation))(params["agent"])
    (name,) = (name for name in gradient if name.endswith("rollout_policy/logits"))
    np.testing.assert_allclose(gradient[name]["b"], 3 * np.array([0.25, 0.25, -0.75, 0.25]), 1e-5)


def test_the_model_is_drawn_apart_from_what_learns():
    key = jax.random.key(0)
    draws = hk.transform(lambda: [jax.random.normal(hk.next_rng_key()) for _ in range(20)]).apply
    frozen = Parts({"model": lambda key: draws({}, key)}).init(key)
    assert not set(map(float, frozen["model"])) & set(map(float, draws({}, key)))


def test_a_published_policy_holds_the_model():
    agent = CONFIG.make(SPEC, frames=1000)
    params = agent.policy_params(noise_state(agent, 0))
    arrays = published.flatten(params)
    assert {name.split("/")[0] for name in arrays} == {"agent", "model"}
    restored = published.unflatten(arrays, params)
    shown = random_unroll(agent, SPEC, 0, time=1, batch=2).observation["planes"][0]
    act = quick_jit(agent.act, static_argnames="greedy")
    args = jax.random.key(0), {"planes": shown}, jnp.ones(2, bool), ()
    for x, y in zip(
        act(params, *args, greedy=False), act(restored, *args, greedy=False), strict=True
    ):
        jax.tree.map(np.testing.assert_array_equal, x, y)


def test_what_is_imagined_counts():
    """Another model, other logits; and without imagination there is none to differ by."""
    agent = CONFIG.make(SPEC, frames=1000)
    params = noise_state(agent, 0).params
    other = params | {"model": randomised(params["model"], 7)}
    shown = {"planes": random_unroll(agent, SPEC, 0, time=1, batch=3).observation["planes"][0]}
    predict = quick_jit(agent.predict)
    logits, value = predict(params, shown)
    logits_2, value_2 = predict(other, shown)
    assert np.all(logits != logits_2)
    assert np.all(value != value_2)


def test_model_steps_are_those_of_all_rollouts():
    assert CONFIG.make(SPEC, frames=1).model_steps == 2 * 4
    assert replace(CONFIG, rollout_length=0).make(SPEC, frames=1).model_steps == 0


def test_a_model_that_does_not_fit_is_refused():
    with pytest.raises(UserError, match="imagines planes or pixels; the environment shows sprites"):
        CONFIG.make(board_spec("sprites"), frames=1)
