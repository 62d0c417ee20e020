"""Sokoban's dm_env face: episodes, time limits, chosen levels, seeds, bad actions."""

from collections import Counter

import numpy as np
import pytest

from environments.games.sokoban import rules
from environments.games.sokoban.environment import Sokoban
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.registration import SokobanOptions
from tests.environments.games.sokoban.boards import level

EASY = level("######", "#@$. #", "######")  # one push to the right solves it
LEVELS = LevelSet.from_levels(
    [EASY, level("######", "# $@.#", "######"), level("######", "#.$ @#", "######")], "by hand"
)
UP, DOWN, LEFT, RIGHT, NOOP = range(5)


def make(levels: LevelSet = LEVELS, *, seed: int = 0, **options) -> Sokoban:
    return Sokoban(levels, SokobanOptions(**options), seed=seed)


def episode_length(environment: Sokoban) -> int:
    """Steps from FIRST to LAST, walking into the wall above."""
    environment.reset()
    for steps in range(1, 1000):
        if environment.step(UP).last():
            return steps
    raise AssertionError("the episode does not end")


def test_solving_is_a_true_end():
    environment = make()
    first = environment.reset_to(0)
    assert first.first()
    assert first.reward is None
    assert environment.outcome is None
    last = environment.step(RIGHT)
    assert last.last()
    assert last.reward == np.float32(10.9)
    assert last.discount == 0
    assert environment.outcome == "solved"
    assert last.observation["planes"][1, 3, rules.PLANES.index("box")]  # the true last observation


def test_the_time_limit_is_a_truncation():
    environment = make(time_limit=(3, 3))
    environment.reset_to(0)
    steps = [environment.step(UP) for _ in range(3)]
    assert [step.last() for step in steps] == [False, False, True]
    assert [float(step.discount) for step in steps] == [1, 1, 1]
    assert all(step.reward == np.float32(-0.1) for step in steps)
    assert environment.outcome == "unsolved"


def test_solving_at_the_time_limit_is_a_true_end():
    environment = make(time_limit=(1, 1))
    environment.reset_to(0)
    last = environment.step(RIGHT)
    assert last.last()
    assert last.discount == 0
    assert environment.outcome == "solved"


@pytest.mark.parametrize("action", [UP, 99, None])
def test_the_step_after_last_ignores_its_action_and_resets(action):
    environment = make(time_limit=(1, 1))
    environment.reset()
    assert environment.step(UP).last()
    assert environment.step(action).first()
    assert environment.outcome is None
    assert environment.step(UP).last()


def test_time_limits_are_uniform_with_both_ends():
    environment = make(time_limit=(3, 5))
    counts = Counter(episode_length(environment) for _ in range(300))
    assert set(counts) == {3, 4, 5}
    assert min(counts.values()) >= 70


def test_levels_are_drawn_uniformly():
    environment = make()
    counts = Counter()
    for _ in range(300):
        environment.reset()
        counts[environment.level_index] += 1
    assert set(counts) == {0, 1, 2}
    assert min(counts.values()) >= 70


def test_the_seed_decides_levels_and_time_limits():
    def trace(seed):
        environment = make(seed=seed, time_limit=(2, 9))
        return [(episode_length(environment), environment.level_index) for _ in range(20)]

    assert trace(3) == trace(3)
    assert trace(3) != trace(4)


def test_a_chosen_level_has_the_longest_limit_and_draws_nothing():
    environment, other = make(time_limit=(2, 5)), make(time_limit=(2, 5))
    for index in (2, 0):
        environment.reset_to(index)
        assert environment.level_index == index
        assert environment.state.player == LEVELS[index].player
        assert [environment.step(UP).last() for _ in range(5)] == [False] * 4 + [True]
    assert [episode_length(environment) for _ in range(9)] == [
        episode_length(other) for _ in range(9)
    ]


@pytest.mark.parametrize("index", [3, -1])
def test_a_level_that_is_not_there_is_refused(index):
    with pytest.raises(IndexError, match=f"no level {index}: there are 3"):
        make().reset_to(index)


@pytest.mark.parametrize("noop", [False, True])
def test_noop_is_an_action_only_if_asked_for(noop):
    environment = make(noop=noop)
    assert environment.action_spec().num_values == 4 + noop
    first = environment.reset_to(1)
    if noop:
        step = environment.step(NOOP)
        np.testing.assert_array_equal(step.observation["planes"], first.observation["planes"])
        assert step.reward == np.float32(-0.1)
    else:
        with pytest.raises(ValueError, match="action must be in 0 to 3, not 4"):
            environment.step(NOOP)


@pytest.mark.parametrize("action", [-1, 4, 1.0, "up", None, True, np.ones(2, int), float("nan")])
def test_a_bad_action_is_refused_and_changes_nothing(action):
    environment = make()
    environment.reset_to(0)
    state = environment.state
    with pytest.raises(ValueError, match="action must be"):
        environment.step(action)
    assert environment.state is state


@pytest.mark.parametrize("action", [3, np.int32(3), np.uint8(3), np.array(3)])
def test_integers_of_every_kind_are_actions(action):
    environment = make()
    environment.reset_to(0)
    assert environment.step(action).last()


def test_there_is_no_state_before_the_first_reset():
    with pytest.raises(RuntimeError, match="before the first reset"):
        _ = make().state


def test_levels_are_never_written_to():
    environment = make()
    before = [plane.copy() for plane in (LEVELS.walls, LEVELS.targets, LEVELS.boxes)]
    first = environment.reset_to(0)
    first.observation["planes"][:] = True
    assert environment.step(RIGHT).last()
    for plane, kept in zip((LEVELS.walls, LEVELS.targets, LEVELS.boxes), before, strict=True):
        np.testing.assert_array_equal(plane, kept)
