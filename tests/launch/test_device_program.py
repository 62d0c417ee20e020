"""The device runner's program: what it gathers, how it learns, on one device and on four."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.base import Agent, AgentState, OnPolicy, Unroll
from agents.cnn.config import CNNConfig
from agents.drc.config import DRCConfig
from environments.errors import UserError
from launch import device_program
from launch.device_program import DeviceState, EpisodeSums
from launch.learning import learn
from tests.agents.toy import Chase, quick_jit

DATA = {"unroll_length": 5, "environments": 8, "hidden": 16}
CNN = CNNConfig(layers=1, channels=8, **DATA)
DRC = DRCConfig(depth=1, repeats=2, channels=4, encoder_kernel=3, **DATA)
CHASE = Chase.make()


def begin(config) -> tuple[Agent, DeviceState]:
    agent = config.make(CHASE.spec, frames=10_000)
    init = quick_jit(partial(device_program.init, agent))
    return agent, init(environment=CHASE, key=jax.random.key(0))


def assert_same(found, expected, atol=0.0):
    leaves = zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True)
    for x, y in leaves:
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        np.testing.assert_allclose(x, y, rtol=0, atol=atol)


def at(tree, t):
    return jax.tree.map(lambda x: x[t], tree)


@pytest.fixture(scope="module")
def gathered() -> tuple[Agent, list[tuple[DeviceState, Unroll, EpisodeSums]], DeviceState]:
    """Three unrolls in a row by a DRC, each with the state before it; and the last state."""
    agent, state = begin(DRC)
    gather = quick_jit(partial(device_program.gather, agent))
    rows = []
    for index in range(3):
        key = jax.random.fold_in(jax.random.key(1), index)
        after, unroll, sums = gather(environment=CHASE, state=state, key=key)
        rows.append((state, unroll, sums))
        state = after
    return agent, rows, state


def test_an_unroll_is_what_the_environment_did(gathered):
    """Every row, replayed step by step from the state before it."""
    _, rows, _ = gathered
    step = quick_jit(Chase.step)
    resets = 0
    for before, unroll, _ in rows:
        environment, shown = before.environment, before.timestep
        for t in range(5):
            assert_same(at(unroll.observation, t), shown.observation)
            assert_same((unroll.is_first[t], unroll.is_last[t]), (shown.is_first, shown.is_last))
            environment, shown = step(CHASE, environment, unroll.action[t])
            assert_same((unroll.reward[t], unroll.discount[t]), (shown.reward, shown.discount))
        assert_same(at(unroll.observation, 5), shown.observation)
        assert_same((unroll.is_first[5], unroll.is_last[5]), (shown.is_first, shown.is_last))
        # The step across a reset: from LAST, to FIRST, without reward.
        across = np.asarray(unroll.is_last[:-1])
        np.testing.assert_array_equal(across, unroll.is_first[1:])
        assert not np.asarray(unroll.reward)[across].any()
        assert np.asarray(unroll.discount)[across].all()
        resets += across.sum()
    assert resets > 5
    ends = np.concatenate([np.asarray(u.discount)[np.asarray(u.is_last[1:])] for _, u, _ in rows])
    assert set(ends) == {0.0, 1.0}


def test_unrolls_join(gathered):
    _, rows, last = gathered
    following = [state for state, _, _ in rows[1:]] + [last]
    for (_, unroll, _), after in zip(rows, following, strict=True):
        assert_same(at(unroll.observation, -1), after.timestep.observation)
        assert_same(unroll.is_last[-1], after.timestep.is_last)
    for (_, first, _), (_, second, _) in pairwise(rows):
        assert_same(at(first.observation, -1), at(second.observation, 0))
        assert_same(first.is_first[-1], second.is_first[0])


def test_the_core_of_an_unroll_is_that_before_its_first_observation(gathered):
    """Acting on from it, step by step, gives the log-probabilities of the unroll."""
    agent, rows, last = gathered
    act = quick_jit(agent.act, static_argnames="greedy")
    for (before, unroll, _), after in zip(rows, [rows[1][0], rows[2][0], last], strict=True):
        core = unroll.core
        assert_same(core, before.core)
        for t in range(5):
            # The action is drawn anew, so only the core is of interest.
            _, _, core = act(
                before.agent.params, jax.random.key(0), at(unroll.observation, t),
                unroll.is_first[t], core, greedy=False,
            )  # fmt: skip
        assert_same(core, after.core, atol=1e-5)
    assert any(np.any(x) for x in jax.tree.leaves(rows[1][1].core))
    _, metrics = quick_jit(agent.update)(rows[1][0].agent, rows[1][1], jax.random.key(0))
    assert metrics["importance_weight"] == pytest.approx(1.0, abs=1e-5)


def test_sums_are_those_of_the_episodes_that_ended(gathered):
    """Counted row by row, over episodes that span two unrolls too."""
    _, rows, _ = gathered
    returns, lengths = np.zeros(8), np.zeros(8, int)
    for _, unroll, sums in rows:
        episodes, successes, total, steps = 0, 0, 0.0, 0
        for t, b in np.ndindex(5, 8):
            if unroll.is_last[t, b]:
                returns[b], lengths[b] = 0.0, 0
                continue
            returns[b] += unroll.reward[t, b]
            lengths[b] += 1
            if unroll.is_last[t + 1, b]:
                episodes += 1
                successes += unroll.discount[t, b] == 0
                total += returns[b]
                steps += lengths[b]
        assert (sums.episodes, sums.successes, sums.lengths) == (episodes, successes, steps)
        assert sums.returns == pytest.approx(total, abs=1e-5)
        assert 0 < successes < episodes


def test_iterations_are_unrolls_and_updates_in_turn():
    """They are counted, sums add up, frames are frames."""
    agent, state = begin(CNN)
    iterate = quick_jit(partial(device_program.iterate, agent))
    middle, sums_1 = iterate(environment=CHASE, state=state, iterations=1)
    end, sums_2 = iterate(environment=CHASE, state=middle, iterations=1)
    found, sums = iterate(environment=CHASE, state=state, iterations=2)
    assert_same(found, end)
    assert_same(sums, jax.tree.map(lambda x, y: x + y, sums_1, sums_2), atol=1e-5)
    assert sums.iterations == int(end.agent.updates) == 2
    # Every row but those across a reset, which follow the episodes that ended before the last row.
    ended = int(sums.episodes.episodes) - int(end.timestep.is_last.sum())
    assert int(end.agent.frames) == 2 * 5 * 8 - ended


@pytest.mark.parametrize("cuts", [[1, 1, 1, 1, 1], [2, 3], [4, 1]])
def test_how_iterations_are_cut_into_calls_changes_no_bit(cuts):
    agent, state = begin(CNN)
    iterate = quick_jit(partial(device_program.iterate, agent))
    sums = jax.device_put(device_program.no_sums(agent, CHASE))
    whole = iterate(environment=CHASE, state=state, sums=sums, iterations=5)
    for iterations in cuts:
        state, sums = iterate(environment=CHASE, state=state, sums=sums, iterations=iterations)
    assert_same((state, sums), whole)


@pytest.mark.parametrize("max_frames", [0, 1, 41, 110])
def test_no_iteration_begins_once_the_budget_is_spent(max_frames):
    agent, state = begin(CNN)
    iterate = quick_jit(partial(device_program.iterate, agent))
    one = partial(iterate, environment=CHASE, iterations=1)
    expected = state
    while expected.agent.frames < max_frames:
        expected, _ = one(state=expected)
    found, _ = iterate(environment=CHASE, state=state, iterations=100, max_frames=max_frames)
    assert_same(found, expected)


def test_four_devices_do_what_one_does():
    assert len(jax.devices()) == 4
    config = replace(DRC, repeats=1, minibatches=2)
    agent, state = begin(config)
    iterate = partial(device_program.iterate, agent, iterations=2)
    alone, sums = quick_jit(iterate)(environment=CHASE, state=state)
    places = device_program.shardings(agent, CHASE)
    spread = jax.device_put(state, places)
    assert len(spread.timestep.reward.sharding.device_set) == 4
    assert spread.timestep.reward.addressable_shards[0].data.shape == (2,)
    together, spread_sums = quick_jit(iterate, out_shardings=(places, places.key))(
        environment=CHASE, state=spread
    )
    assert_same(together, alone, atol=1e-6)
    assert_same(spread_sums, sums, atol=1e-5)
    for x in jax.tree.leaves(together.agent.params):
        assert x.sharding.is_fully_replicated
    changed = jax.tree.map(lambda x, y: np.any(x != y), state.agent.params, alone.agent.params)
    assert all(jax.tree.leaves(changed))


@pytest.mark.parametrize(("environments", "minibatches"), [(6, 1), (8, 4), (4, 2)])
def test_environments_that_cannot_be_split_over_the_devices_are_refused(environments, minibatches):
    config = replace(CNN, environments=environments, minibatches=minibatches)
    agent = config.make(CHASE.spec, frames=1)
    with pytest.raises(
        UserError, match=f"set agent.environments to a multiple of {4 * minibatches}"
    ):
        device_program.shardings(agent, CHASE)


def bookkeeper(environments: int, minibatches: int) -> Agent:
    """An agent that writes down, for each environment, at which update it learnt from it."""

    def update(state, unroll, key):
        visited = unroll.action[0]
        count = state.params["count"].at[visited].add(1)
        when = state.params["when"].at[visited].set(state.updates)
        same = jnp.all(unroll.action == visited) & jnp.all(unroll.core == visited)
        same &= jnp.all(unroll.observation["id"] == visited)
        params = {
            "count": count,
            "when": when,
            "key": state.params["key"] + jax.random.uniform(key),
        }
        state = AgentState(params, (), state.frames, state.updates + 1)
        return state, {"aligned": same * 1.0, "update": state.updates * 1.0}

    unused: Any = None
    data = OnPolicy(unroll_length=3, environments=environments, minibatches=minibatches)
    return Agent(unused, unused, unused, unused, update, data)


@pytest.mark.parametrize("minibatches", [1, 2, 3])
def test_minibatches_hold_every_environment_once(minibatches):
    agent = bookkeeper(12, minibatches)
    ids = jnp.arange(12)
    rows, more = jnp.tile(ids, (3, 1)), jnp.tile(ids, (4, 1))
    unroll = Unroll({"id": more}, more, more, rows, rows, rows, {}, ids)
    none = {"count": jnp.zeros(12, int), "when": jnp.zeros(12, int), "key": jnp.zeros(())}
    state = AgentState(none, (), jnp.uint32(0), jnp.uint32(0))
    state, metrics = quick_jit(partial(learn, agent, parts=minibatches))(
        state, unroll, jax.random.key(0)
    )
    np.testing.assert_array_equal(state.params["count"], np.ones(12))
    np.testing.assert_array_equal(
        np.bincount(state.params["when"]), [12 // minibatches] * minibatches
    )
    assert state.updates == minibatches
    assert metrics["aligned"] == 1.0
    assert metrics["update"] == np.mean(np.arange(minibatches) + 1)
