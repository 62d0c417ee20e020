"""MPO learns to steer from a replay, and from demonstrations what to do; what it refuses."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.base import Unroll
from agents.mpo.config import MPOConfig
from agents.mpo.learning import frames_of
from environments.errors import UserError
from launch.published import InitialParams, flatten
from launch.rollouts import play
from tests.agents.reach import HIGH, LOW, SPEED, Reach
from tests.agents.toy import board_spec, quick_jit

WORLDS, LENGTH = 32, 6
CONFIG = MPOConfig(
    hidden=(32, 32),
    sequence_length=LENGTH,
    period=LENGTH,
    batch=WORLDS,
    n_step=3,
    discount=0.9,
    learning_rate=3e-3,
    target_period=20,
    epsilon_mean=0.05,
)


def begin(worlds: int):
    """Worlds that have begun, and their first time step."""
    return quick_jit(Reach.reset, static_argnums=2)(Reach(), jax.random.key(1), worlds)


def reached(agent, state, environment) -> float:
    """The part of all targets that the policy reaches greedily."""
    params = agent.policy_params(state)
    return np.mean(play(agent, params, environment, episodes=environment.num_levels).outcome == 0)


def gather(agent, environment, carry, params, key, choose=None) -> tuple:
    """`WORLDS` sequences by the agent, or by `choose(observation)`, as from an actor."""

    def step(carry, key):
        world, now = carry
        action, extras, _ = agent.act(params, key, now.observation, now.is_first, (), greedy=False)
        if choose is not None:
            action, extras = choose(now.observation), {"demonstrated": jnp.ones(WORLDS, bool)}
        world, after = environment.step(world, action)
        return (world, after), (now, action, after.reward, after.discount, extras)

    (world, last), (rows, action, reward, discount, extras) = jax.lax.scan(
        step, carry, jax.random.split(key, LENGTH)
    )
    shown = jax.tree.map(lambda x, end: jnp.concatenate([x, end[None]]), rows, last)
    unroll = Unroll(
        *(shown.observation, shown.is_first, shown.is_last, action, reward, discount, extras, ())
    )
    return (world, last), unroll


def steer(observation):
    """The velocity that comes nearest to the target within the bounds."""
    towards = jnp.clip((observation["target"] - observation["place"]) / SPEED, -1, 1)
    return LOW + (towards + 1) / 2 * (HIGH - LOW)


def train(config, iterations, choose=None):
    """After so many rounds of playing and learning twice, the policy and the last metrics."""
    environment = Reach()
    agent = config.make(environment.spec, frames=1)
    state = quick_jit(agent.init)(jax.random.key(0))
    collect = quick_jit(partial(gather, agent, environment, choose=choose))
    update = quick_jit(agent.update)
    carry, kept, rng = begin(WORLDS), [], np.random.default_rng(0)
    assert reached(agent, state, environment) < 0.2
    for i in range(iterations):
        key = jax.random.fold_in(jax.random.key(2), i)
        carry, unroll = collect(carry, agent.policy_params(state), key)
        kept = [*kept[-50:], unroll]
        for drawn in rng.integers(len(kept), size=4):
            state, metrics = update(state, kept[drawn], jax.random.fold_in(key, int(drawn)))
    assert all(np.isfinite(x) for x in metrics.values())
    return reached(agent, state, environment), metrics


@pytest.mark.slow
def test_learns_to_steer_to_the_target():
    rate, _ = train(CONFIG, iterations=250)
    assert rate > 0.8


def test_clones_what_it_is_shown():
    rate, metrics = train(replace(CONFIG, cloning_cost=100.0), iterations=60, choose=steer)
    assert rate > 0.9
    assert metrics["cloning_loss"] < 0.02


def test_clones_nothing_of_its_own_play():
    _, metrics = train(CONFIG, iterations=1)
    assert metrics["cloning_loss"] == 0


def test_target_networks_follow_every_so_many_updates():
    environment = Reach()
    agent = replace(CONFIG, target_period=2).make(environment.spec, frames=1)
    state = quick_jit(agent.init)(jax.random.key(0))
    carry = begin(WORLDS)
    collect = quick_jit(partial(gather, agent, environment))
    _, unroll = collect(carry, state.params, jax.random.key(2))
    before = state.params["targets"]
    update = quick_jit(agent.update)
    state, _ = update(state, unroll, jax.random.key(3))
    for x, y in zip(jax.tree.leaves(before), jax.tree.leaves(state.params["targets"]), strict=True):
        np.testing.assert_array_equal(x, y)
    state, _ = update(state, unroll, jax.random.key(4))
    for name, target in state.params["targets"].items():
        now = jax.tree.leaves(state.params[name])
        for x, y in zip(now, jax.tree.leaves(target), strict=True):
            np.testing.assert_array_equal(x, y)


def test_a_run_begins_with_what_another_has_published():
    environment = Reach()
    agent = CONFIG.make(environment.spec, frames=1)
    published = agent.policy_params(agent.init(jax.random.key(7)))
    given = InitialParams(flatten(published))
    given.check(agent)
    drawn = agent.init(jax.random.key(0))
    state = given.into(agent, drawn)
    _, now = environment.reset(jax.random.key(1), WORLDS)

    def act(params):
        key = jax.random.key(2)
        return agent.act(params, key, now.observation, now.is_first, (), greedy=True)[0]

    np.testing.assert_array_equal(act(agent.policy_params(state)), act(published))
    np.testing.assert_array_equal(act(state.params["targets"]), act(published))
    for name in ("critic", "duals"):
        assert state.params[name] is drawn.params[name]
    given = InitialParams(given.arrays | {"policy/other": np.zeros(1)})
    with pytest.raises(UserError, match="another network's: policy/other"):
        given.check(agent)


@pytest.mark.parametrize(
    ("per_insert", "updates", "frames"), [(8.0, 10, 400), (1.0, 10, 3200), (3.0, 10, 1066)]
)
def test_frames_are_those_that_were_played(per_insert, updates, frames):
    config = MPOConfig(batch=32, period=10, samples_per_insert=per_insert)
    assert frames_of(config, jnp.uint32(updates)) == frames


def test_one_of_a_few_actions_is_not_for_mpo():
    with pytest.raises(UserError, match=r"mpo chooses numbers; .* use drc, resnet, cnn or mlp"):
        CONFIG.make(board_spec("planes"), frames=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden": ()}, {"n_step": 0}, {"target_period": 0}, {"action_samples": 1},
        {"discount": 1.5}, {"epsilon": 0.0}, {"learning_rate": -1.0}, {"cloning_cost": -1.0},
        {"clip_norm": float("nan")},
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_name(changes):
    ((field, value),) = changes.items()
    with pytest.raises(UserError, match=rf"agent\.{field} must .*{value}"):
        MPOConfig(**changes)


def test_environments_that_act_at_once_explore_by_parts_of_the_deviation():
    environment = Reach()
    agent = replace(CONFIG, least_exploration=0.25).make(environment.spec, frames=1)
    params = agent.policy_params(quick_jit(agent.init)(jax.random.key(0)))
    _, now = jax.device_get(begin(4))
    now = jax.tree.map(lambda x: np.broadcast_to(x[:1], x.shape), now)  # four times the same

    def act(key, greedy):
        return agent.act(params, key, now.observation, now.is_first, (), greedy=greedy)[0]

    sample = quick_jit(jax.vmap(partial(act, greedy=False)))
    actions = sample(jax.random.split(jax.random.key(2), 4000))
    greedy = quick_jit(partial(act, greedy=True))(jax.random.key(0))
    away = (np.asarray(actions) - greedy) / (HIGH - LOW) * 2
    inside = np.abs(away).max(axis=(0, 2)) < 1.0
    spread = np.std(away, axis=0).mean(-1)
    # The least three stay within the bounds, so that nothing is clipped.
    np.testing.assert_allclose(spread[2:] / spread[3], [2.0, 1.0], rtol=0.05)
    np.testing.assert_allclose(spread[3], 0.25 * 0.5, rtol=0.05)
    assert inside[3]
    alone = quick_jit(
        jax.vmap(lambda key: agent.act(params, key, *first(now), (), greedy=False)[0])
    )
    only = alone(jax.random.split(jax.random.key(3), 4000))[:, 0]
    assert np.all(np.std(only, axis=0) > 3 * np.std(actions[:, 3], axis=0))  # in full


def first(now):
    """The observation and is_first of the first environment, in a batch of one."""
    return jax.tree.map(lambda x: x[:1], now.observation), now.is_first[:1]
