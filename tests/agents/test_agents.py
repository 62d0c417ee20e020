"""What holds for every agent: acting, learning, resets, and that acting is what is learnt from."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs

from agents.cnn.config import CNNConfig
from agents.drc.config import VARIANTS, DRCConfig
from agents.i2a.config import I2AConfig
from agents.models.config import ModelConfig
from agents.resnet.config import ResNetConfig
from environments.errors import UserError
from tests.agents.toy import (
    board_spec,
    noise_state,
    quick_jit,
    random_observation,
    random_unroll,
    randomised,
)

SMALL = {"hidden": 8, "unroll_length": 4, "environments": 4}
DRC = DRCConfig(depth=2, repeats=2, channels=4, encoder_kernel=3, **SMALL)
CONFIGS = {
    "drc open": DRC,
    **{f"drc {name}": replace(DRC, depth=1, variant=name) for name in VARIANTS if name != "open"},
    "resnet": ResNetConfig(stages=(4, 8), **SMALL),
    "cnn": CNNConfig(layers=2, channels=4, **SMALL),
    "i2a": I2AConfig(
        model=ModelConfig(kind="perfect"),
        rollout_length=2,
        channels=(4,),
        rollout_channels=2,
        encoder_units=4,
        rollout_policy_hidden=4,
        **SMALL,
    ),
}
every_agent = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
TIME, BATCH = 4, 3


@cache
def make(config, *kinds, size=4):
    """An agent, its spec, noise for parameters, and its functions, compiled once for all tests."""
    spec = board_spec(*(kinds or ("planes",)), size=size)
    agent = config.make(spec, frames=1000)
    act, update = quick_jit(agent.act, static_argnames="greedy"), quick_jit(agent.update)
    return agent, spec, noise_state(agent, 0), act, update


def act_along(agent, act, params, unroll, seed=0):
    """Acts on the observations of an unroll, one by one: actions, log-probs, and every core."""
    core, actions, log_probs, cores = unroll.core, [], [], []
    for t in range(unroll.action.shape[0]):
        shown = jax.tree.map(lambda x, t=t: x[t], unroll.observation)
        key = jax.random.fold_in(jax.random.key(seed), t)
        action, extras, core = act(params, key, shown, unroll.is_first[t], core, greedy=False)
        actions.append(action)
        log_probs.append(extras["log_prob"])
        cores.append(core)
    return jnp.stack(actions), jnp.stack(log_probs), cores


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        *((name, ("planes",)) for name in CONFIGS),
        pytest.param("drc open", ("sprites",), marks=pytest.mark.slow),  # read as by the resnet
        ("resnet", ("sprites",)),
        ("cnn", ("planes", "pixels")),
    ],
)
def test_acts_and_learns_from_what_the_environment_shows(name, kinds):
    agent, spec, state, act, update = make(CONFIGS[name], *kinds)
    unroll = random_unroll(agent, spec, seed=0, time=TIME, batch=BATCH)
    actions, log_probs, _ = act_along(agent, act, state.params, unroll)
    assert actions.shape == log_probs.shape == (TIME, BATCH)
    assert actions.dtype == jnp.int32
    assert set(np.asarray(actions).ravel()) <= {0, 1, 2, 3}
    assert np.all(log_probs <= 0)
    after, metrics = update(state, unroll, jax.random.key(1))
    assert all(np.isfinite(x).all() for x in jax.tree.leaves((after.params, metrics)))
    params = jax.device_get((state.params, after.params))
    changed = jax.tree.map(lambda x, y: bool(np.any(x != y)), *params)
    assert all(jax.tree.leaves(changed)), changed


@every_agent
def test_acting_is_what_is_learnt_from(config):
    """On data of the present policy, gathered step by step, the importance weight is 1."""
    agent, spec, state, act, update = make(config)
    unroll = random_unroll(agent, spec, seed=1, time=TIME, batch=BATCH)
    unroll = replace(unroll, core=randomised(unroll.core, 2))
    actions, log_probs, _ = act_along(agent, act, state.params, unroll)
    on_policy = replace(unroll, action=actions, extras={"log_prob": log_probs})
    _, metrics = update(state, on_policy, jax.random.key(1))
    assert metrics["importance_weight"] == pytest.approx(1.0, abs=1e-5)
    _, metrics = update(state, unroll, jax.random.key(1))
    assert abs(metrics["importance_weight"] - 1) > 0.01


def test_an_episode_begins_with_the_initial_core():
    agent, spec, state, act, _ = make(DRC)
    shown, key = random_observation(spec, 0, (BATCH,)), jax.random.key(0)
    used = randomised(agent.initial_core(BATCH), 3)
    first = jnp.array([True, False, True])
    _, extras, core = act(state.params, key, shown, first, used, greedy=False)
    _, fresh, fresh_core = act(
        state.params, key, shown, first & False, agent.initial_core(BATCH), greedy=False
    )
    np.testing.assert_array_equal(extras["log_prob"][first], fresh["log_prob"][first])
    for x, y in zip(jax.tree.leaves(core), jax.tree.leaves(fresh_core), strict=True):
        np.testing.assert_array_equal(x[first], y[first])
        assert np.any(x[1] != y[1])


def test_sampling_follows_the_policy_and_greedy_takes_its_likeliest_action():
    agent, spec, state, act, _ = make(CONFIGS["cnn"])
    many = 3000
    shown = jax.tree.map(
        lambda x: jnp.broadcast_to(x, (many, *x.shape)), random_observation(spec, 4, ())
    )
    first, core = jnp.ones(many, bool), agent.initial_core(many)
    actions, extras, _ = act(state.params, jax.random.key(0), shown, first, core, greedy=False)
    frequency = np.bincount(actions, minlength=4) / many
    assert np.sum(frequency > 0.02) > 1
    for action in np.unique(actions):
        probability = float(np.exp(extras["log_prob"][np.asarray(actions) == action][0]))
        assert frequency[action] == pytest.approx(probability, abs=0.05)
    for seed in range(2):
        key = jax.random.key(seed)
        greedy, extras, _ = act(state.params, key, shown, first, core, greedy=True)
        assert set(np.asarray(greedy)) == {int(frequency.argmax())}
    assert np.exp(extras["log_prob"][0]) == pytest.approx(frequency.max(), abs=0.05)


def test_an_unroll_across_a_reset_is_two_unrolls():
    """Whatever the first episode left in the core has no part in the second one's cores."""
    agent, spec, state, act, _ = make(DRC)
    unroll = random_unroll(agent, spec, seed=1, time=TIME, batch=BATCH)
    unroll = replace(unroll, is_first=jnp.zeros_like(unroll.is_first).at[2].set(True))
    _, _, cores = act_along(agent, act, state.params, unroll)
    second = jax.tree.map(lambda x: x[2:], replace(unroll, core=()))
    second = replace(second, core=agent.initial_core(BATCH), is_first=second.is_first & False)
    _, _, alone = act_along(agent, act, state.params, second)
    for x, y in zip(jax.tree.leaves(cores[2:]), jax.tree.leaves(alone), strict=True):
        np.testing.assert_array_equal(x, y)


def test_actions_without_bounds_are_refused():
    spec = board_spec("planes")
    joints = specs.Array((9,), np.float32)
    with pytest.raises(UserError, match=r"chooses one of a few actions.*\(9,\)"):
        CNNConfig().make(replace(spec, action=joints), frames=1)


@every_agent
def test_prediction_is_what_acting_goes_by(config):
    """An agent without a core tells its logits, and its value, of any observation by itself."""
    agent, spec, state, act, _ = make(config)
    assert (agent.predict is None) == bool(jax.tree.leaves(agent.initial_core(1)))
    if agent.predict is None:
        return
    shown, first = random_observation(spec, 3, (BATCH,)), jnp.ones(BATCH, bool)
    logits, value = agent.predict(state.params, shown)
    action, extras, _ = act(state.params, jax.random.key(0), shown, first, (), greedy=True)
    np.testing.assert_array_equal(jnp.argmax(logits, axis=-1), action)
    np.testing.assert_allclose(jax.nn.log_softmax(logits).max(-1), extras["log_prob"], rtol=1e-5)
    assert value.shape == (BATCH,)
    assert len(set(value.tolist())) == BATCH
