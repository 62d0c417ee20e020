"""The dm_env face and the batched face of Sokoban agree step by step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from environments.games.sokoban.batched import BatchedSokoban
from environments.games.sokoban.environment import Sokoban
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.registration import OBSERVATION_KINDS, SokobanOptions
from tests.agents.toy import quick_jit
from tests.environments.games.sokoban.boards import level, real_levels

SMALL = (
    level("######", "#@$. #", "######"),
    level("#####", "#   #", "# * #", "#$+ #", "#####"),
    level("#######", "#.$@$.#", "#  .  #", "#######"),
)
LIMIT = 40


def make(levels: LevelSet, noop: bool) -> tuple[list[Sokoban], BatchedSokoban]:
    """One dm_env face per level, and the batched face over all of them."""
    options = SokobanOptions(observations=OBSERVATION_KINDS, time_limit=(LIMIT, LIMIT), noop=noop)
    singles = [Sokoban(levels, options) for _ in range(len(levels))]
    return singles, BatchedSokoban.from_levels(levels, options)


def assert_same(index: int, single, batched, environment: Sokoban, outcomes) -> None:
    """One dm_env time step against row `index` of a batched one."""
    assert set(single.observation) == set(batched.observation)
    for kind, value in single.observation.items():
        np.testing.assert_array_equal(value, batched.observation[kind][index])
    assert single.first() == batched.is_first[index]
    assert single.last() == batched.is_last[index]
    first = single.first()  # dm_env has None there, the batched face 0 and 1
    reward, discount = (0.0, 1.0) if first else (single.reward, single.discount)
    np.testing.assert_allclose(batched.reward[index], reward, rtol=1e-6)
    assert batched.discount[index] == discount
    if single.last():
        assert environment.outcome == outcomes[batched.info["outcome"][index]]


@pytest.mark.parametrize("noop", [False, True])
@pytest.mark.parametrize(
    ("kind", "episodes"),
    [("small", 3), ("real", 1), pytest.param("real", 3, marks=pytest.mark.slow)],
)
def test_faces_agree_on_random_play(kind, episodes, noop):
    levels = SMALL if kind == "small" else real_levels()[:64]
    level_set = LevelSet.from_levels(levels, kind)
    singles, batched = make(level_set, noop)
    indices = jnp.arange(len(levels))
    num_actions = singles[0].action_spec().num_values
    start, step = quick_jit(type(batched).start), quick_jit(type(batched).step)
    rng = np.random.default_rng(0)
    rewards, endings = set(), set()
    for episode in range(episodes):
        state, first = start(batched, jax.random.key(episode), indices)
        first = jax.device_get(first)
        for index, single in enumerate(singles):
            assert_same(index, single.reset_to(index), first, single, batched.spec.outcomes)
        running = np.ones(len(levels), bool)
        for _ in range(LIMIT):
            actions = rng.integers(num_actions, size=len(levels)).astype(np.int32)
            state, theirs = step(batched, state, actions)
            theirs = jax.device_get(theirs)
            for index in np.flatnonzero(running):
                single = singles[index]
                ours = single.step(actions[index])
                assert_same(index, ours, theirs, single, batched.spec.outcomes)
                rewards.add(round(float(ours.reward), 1))
                running[index] = not ours.last()
                if ours.last():
                    endings.add(single.outcome)
        assert not running.any()
    # Random play has come across what there is to disagree about.
    assert {-0.1, 0.9, -1.1} <= rewards
    assert endings == ({"solved", "unsolved"} if kind == "small" else {"unsolved"})


def test_the_batched_face_restarts_after_last():
    level_set = LevelSet.from_levels(SMALL, "small")
    singles, batched = make(level_set, False)
    step = quick_jit(type(batched).step)
    state, _ = quick_jit(type(batched).start)(batched, jax.random.key(0), jnp.zeros(8, jnp.int32))
    was_last = np.zeros(8, bool)
    starts = {
        single.reset_to(i).observation["planes"].tobytes() for i, single in enumerate(singles)
    }
    rng, seen = np.random.default_rng(1), set()
    for _ in range(300):
        state, theirs = step(batched, state, rng.integers(4, size=8).astype(np.int32))
        theirs = jax.device_get(theirs)
        np.testing.assert_array_equal(theirs.is_first, was_last)
        np.testing.assert_array_equal(theirs.reward[was_last], 0)
        np.testing.assert_array_equal(theirs.discount[was_last], 1)
        for index in np.flatnonzero(was_last):
            seen.add(theirs.observation["planes"][index].tobytes())
        was_last = theirs.is_last
    assert seen == starts


def test_the_specs_agree():
    singles, batched = make(LevelSet.from_levels(SMALL, "small"), True)
    assert singles[0].spec == batched.spec
    assert singles[0].observation_spec() == batched.spec.observation
    assert singles[0].action_spec() == batched.spec.action
    assert singles[0].num_levels == batched.num_levels == len(SMALL)
