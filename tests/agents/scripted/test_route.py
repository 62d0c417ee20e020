"""Legs of a plan: where they go, where the ball goes back before it turns."""

import numpy as np
import pytest

from agents.scripted.route import TOUCH, centring, legs
from environments.games.sokoban import rules
from environments.games.sokoban.sources import load_levels

UP, DOWN, LEFT, RIGHT = range(4)


def position(text: str) -> rules.State:
    return rules.initial_state(load_levels(text)[0])


LEVEL = """
########
#@  $  #
#      #
#   $ .#
#    . #
########
"""


def goals(found) -> list:
    return [leg.goal.round(6).tolist() for leg in found]


def test_a_walk_is_one_leg_for_each_direction():
    state = position(LEVEL)
    found = legs(state, (RIGHT, RIGHT, DOWN, DOWN))
    # 6 rows and 8 columns: the first cell's middle is at x -3.5, y 2.5.
    assert goals(found) == [[-0.5, 1.5], [-0.5, -0.5]]
    assert [leg.axis.tolist() for leg in found] == [[1, 0], [0, -1]]
    assert [(leg.push, leg.after) for leg in found] == [(0, None), (0, None)]


def test_a_push_ends_behind_the_box_and_goes_back_before_a_turn():
    state = position(LEVEL)
    push, back, down = legs(state, (RIGHT, RIGHT, RIGHT, DOWN))
    assert push.push == 1
    assert push.after is not None
    assert push.after.player == (1, 4)
    box = np.array([5 - 3.5, 1.5])
    assert push.goal == pytest.approx(box - [TOUCH, 0])
    assert goals([back, down]) == [[0.5, 1.5], [0.5, 0.5]]
    assert back.axis.tolist() == [-1, 0]


def test_going_back_the_way_is_one_leg():
    found = legs(position(LEVEL), (RIGHT, RIGHT, RIGHT, LEFT, LEFT))
    assert [leg.push for leg in found] == [1, 0]
    assert goals(found)[1] == [-1.5, 1.5]


def test_no_plan_is_no_leg():
    assert legs(position(LEVEL), ()) == []


def test_centring_goes_along_the_axis_that_is_farther_off_first():
    state = position(LEVEL)
    middle = np.array([-2.5, 1.5])
    found = centring(middle + [0.1, -0.4], state)
    assert [leg.axis.tolist() for leg in found] == [[0, 1], [-1, 0]]
    assert found[0].goal == pytest.approx(middle + [0.1, 0])
    assert found[1].goal == pytest.approx(middle)
    assert centring(middle + [0.01, 0.02], state) == []
