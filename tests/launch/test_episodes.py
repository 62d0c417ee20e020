"""Playing episode by episode gives what playing in batch gives."""

import numpy as np
import pytest

from environments.games.sokoban.environment import Sokoban
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.registration import SokobanOptions
from launch.episodes import play_episodes
from launch.rollouts import play
from tests.launch.test_rollouts import LIMIT, PUSHES, RIGHT, SOKOBAN, STUCK, corridor, walker


@pytest.fixture
def environment() -> Sokoban:
    levels = LevelSet.from_levels(
        [STUCK if n is None else corridor(n) for n in PUSHES], "corridors"
    )
    return Sokoban(levels, SokobanOptions(time_limit=(2, LIMIT)))


def test_the_same_as_in_batch(environment):
    told = []
    played = play_episodes(
        lambda environment, timestep: RIGHT,
        environment,
        range(7),
        report=told.append,
    )
    batch = play(walker(), (), SOKOBAN, episodes=7)
    for name in ("outcome", "length", "episode_return"):
        ours, theirs = getattr(played, name), getattr(batch, name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert told == [1, 2, 3, 4, 5, 6, 7]


def test_the_policy_sees_the_environment_and_a_first_step_of_every_episode(environment):
    seen = []

    def policy(environment, timestep):
        seen.append((environment.level_index, timestep.first()))
        return RIGHT

    played = play_episodes(policy, environment, [4, 1, 4])
    assert played.length.tolist() == [2, 1, 2]
    assert seen == [(4, True), (4, False), (1, True), (4, True), (4, False)]


def test_no_levels(environment):
    assert play_episodes(lambda *_: RIGHT, environment, []).length.shape == (0,)
