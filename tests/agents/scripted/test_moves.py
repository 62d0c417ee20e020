"""The script of symbolic Sokoban plays plans of fewest moves."""

from typing import Any

import pytest

from agents.scripted import make_scripted
from environments import load
from environments.embedded.environment import EmbeddedEnvironment
from environments.errors import UserError
from tests.environments.pendulum import Pendulum
from tests.environments.players.sokoban.breadth_first import fewest_moves


def test_solves_levels_with_the_fewest_moves():
    levels = "generated:size=6,boxes=1,count=10,seed=2"
    environment: Any = load("sokoban", levels=levels)
    script = make_scripted(environment)
    for level in range(environment.num_levels):
        timestep, moves = environment.reset_to(level), 0
        while not timestep.last():
            timestep, moves = environment.step(script(timestep)), moves + 1
        assert environment.outcome == "solved"
        assert moves == fewest_moves(environment.state.level)


def test_a_game_without_a_script_is_refused():
    with pytest.raises(UserError, match="there is no script for this game"):
        make_scripted(EmbeddedEnvironment(Pendulum(), time_limit=1.0))
