"""MiniPacman's dm_env face: episodes, time limits, start levels, bad actions and options."""

from collections import Counter

import numpy as np
import pytest

from environments import load
from environments.errors import UserError
from environments.games.minipacman import rules
from environments.games.minipacman.environment import MiniPacman
from environments.games.minipacman.registration import MiniPacmanOptions
from tests.environments.games.minipacman.states import LEFT, STAY, at, state


def make(seed: int = 0, **options) -> MiniPacman:
    return MiniPacman(MiniPacmanOptions(**options), seed=seed)


def episode(environment: MiniPacman) -> list:
    """The time steps of one episode of standing still."""
    steps = [environment.reset()]
    while not steps[-1].last():
        steps.append(environment.step(STAY))
    return steps


def test_being_caught_is_a_true_end():
    environment = make(mode="hunt", time_limit=(1, 1))
    environment.reset()
    environment._state = state(at(3, 5), (at(3, 4), LEFT))
    last = environment.step(LEFT)
    assert last.last()
    assert (last.discount, last.reward, environment.outcome) == (0, -20, "caught")
    shown = rules.PLANES.index("ghost"), rules.PLANES.index("player")
    assert last.observation["planes"][3, 4, shown].all()
    assert environment.step(STAY).first()
    assert environment.outcome is None


def test_the_time_limit_is_a_truncation():
    environment = make(mode="avoid", time_limit=(3, 3))
    environment.reset_to(0)
    environment._state = state(at(1, 1), (at(13, 8), LEFT))
    steps = [environment.step(STAY) for _ in range(3)]
    assert [step.last() for step in steps] == [False, False, True]
    assert [float(step.discount) for step in steps] == [1, 1, 1]
    assert [step.reward for step in steps] == [np.float32(0.1)] * 3
    assert environment.outcome == "survived"


def test_limits_and_levels_are_uniform_with_both_ends():
    environment = make(time_limit=(1, 3), start_level=(1, 4))
    lengths, levels = Counter(), Counter()
    for _ in range(400):
        environment.reset()
        levels[environment.state.level] += 1
        steps = 0
        while environment.outcome is None:
            environment.step(STAY)
            steps += 1
        lengths[steps] += 1
    assert set(lengths) == {1, 2, 3}
    assert set(levels) == {1, 2, 3, 4}
    assert min(levels.values()) >= 70
    assert min(lengths.values()) >= 100


def test_chosen_levels():
    environment = make(start_level=(3, 5))
    assert environment.num_levels == 3
    for index in range(3):
        environment.reset_to(index)
        assert environment.state.level == 3 + index
    with pytest.raises(IndexError, match="no level 3: there are 3"):
        environment.reset_to(3)


def test_every_mode_can_be_survived_and_not():
    for mode in ("regular", "avoid", "hunt", "ambush", "rush"):
        ends = {episode(make(seed, mode=mode, time_limit=(40, 40)))[-1].discount
                for seed in range(12)}  # fmt: skip
        assert ends == {0, 1}


@pytest.mark.parametrize("action", [-1, 5, 1.0, "up", None, True])
def test_a_bad_action_is_refused_and_changes_nothing(action):
    environment = make()
    environment.reset()
    before = environment.state
    with pytest.raises(ValueError, match="action must be"):
        environment.step(action)
    assert environment.state is before


def test_there_is_no_state_before_the_first_reset():
    with pytest.raises(RuntimeError, match="before the first reset"):
        _ = make().state


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "hunted"}, "no mode of minipacman 'hunted'; did you mean 'hunt'"),
        ({"time_limit": (5, 4)}, "1 <= low <= high, not 5 4"),
        ({"start_level": (0, 4)}, "1 <= low <= high <= 10, not 0 4"),
        ({"start_level": (1, 11)}, "not 1 11"),
        ({"observations": ()}, "at least one of planes, pixels, sprites"),
        ({"observations": ("pixel",)}, "did you mean 'pixels'"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        load("minipacman", **options)
