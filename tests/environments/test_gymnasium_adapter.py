"""The Gymnasium adapter, by Gymnasium's own checker and against the dm_env face."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from dm_env import specs
from gymnasium.utils.env_checker import check_env

from environments import entries
from environments.errors import UserError
from environments.gymnasium_adapter import register_environments, space
from tests.environments.cases import CASES


@pytest.fixture(scope="module")
def ids():
    registered = dict(zip(entries(), register_environments(), strict=True))
    yield registered
    for identifier in registered.values():
        del gymnasium.registry[identifier]


@pytest.mark.parametrize("name", CASES)
def test_gymnasiums_checker_is_content(name, ids):
    environment = gymnasium.make(ids[name], **CASES[name].options)
    check_env(environment.unwrapped, skip_render_check=True)


def test_ids_name_the_version(ids):
    assert ids["sokoban"] == f"moravec/Sokoban-v{entries()['sokoban'].version}"


@pytest.mark.parametrize("name", CASES)
def test_it_plays_as_the_dm_env_face_does(name, ids):
    ours = CASES[name].load(name, seed=7)
    theirs = gymnasium.make(ids[name], **CASES[name].options)
    theirs.action_space.seed(0)
    step, (observation, _) = ours.reset(), theirs.reset(seed=7)
    ends = 0
    for _ in range(60):
        assert set(observation) == set(step.observation)
        assert theirs.observation_space.contains(observation)
        for key, value in step.observation.items():
            np.testing.assert_array_equal(observation[key], value)
        if step.last():
            ends += 1
            step, (observation, _) = ours.reset(), theirs.reset()
            continue
        action = theirs.action_space.sample()
        step = ours.step(action)
        observation, reward, terminated, truncated, info = theirs.step(action)
        assert reward == step.reward
        assert terminated == (step.last() and step.discount == 0)
        assert truncated == (step.last() and step.discount == 1)
        assert ("outcome" in info) == step.last()
    assert ends > 1


def test_a_solved_level_is_terminated(ids):
    theirs: Any = gymnasium.make(ids["sokoban"], **CASES["sokoban"].options).unwrapped
    theirs.reset(seed=0)
    theirs._environment.reset_to(0)  # pushed right, its only box is on its target
    _, reward, terminated, truncated, info = theirs.step(3)
    assert (reward, terminated, truncated) == (pytest.approx(10.9), True, False)
    assert info["outcome"] == "solved"


def test_without_a_seed_it_is_random(ids):
    def start() -> tuple:
        environment = gymnasium.make(ids["sokoban"], **CASES["sokoban"].options)
        return tuple(environment.reset()[0]["planes"].tobytes() for _ in range(12))

    assert len({start() for _ in range(4)}) > 1  # 3^-36 by chance


def test_unknown_options_are_refused(ids):
    with pytest.raises(UserError, match="did you mean 'noop'"):
        gymnasium.make(ids["sokoban"], nop=True)


def test_a_bounded_action_becomes_a_box():
    box = space(specs.BoundedArray((3,), np.float32, -1.0, [1.0, 2.0, 3.0]))
    assert isinstance(box, gymnasium.spaces.Box)
    assert box.dtype == np.float32
    np.testing.assert_array_equal(box.high, [1, 2, 3])
    np.testing.assert_array_equal(box.low, [-1, -1, -1])
