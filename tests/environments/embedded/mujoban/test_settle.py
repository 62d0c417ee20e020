"""A box that is askew on its pad: where the walker is sent, by hand and in physics."""

from typing import Any

import numpy as np
import pytest

from environments import load
from environments.embedded.mujoban.settle import next_step
from environments.hints.options import HintOptions
from tests.environments.embedded.mujoban.rooms import write_levels
from tests.environments.embedded.mujoban.test_embedding import move_box

ROOM = np.pad(np.zeros((3, 3), bool), 1, constant_values=True)  # cells 1 to 3
UP, DOWN, LEFT, RIGHT = range(4)


def step(box, walker, walls=ROOM, pads=((2, 2),), others=()) -> Any:
    cell = tuple(round(x) for x in walker)
    return next_step(walls, pads, [box, *others], (walker, cell), reach=0.1, touch=0.6)


def test_a_box_that_lies_right_is_left_alone():
    assert step((2.05, 1.95), (1, 1)) is None
    assert step((3.3, 1.0), (1, 1)) is None  # on no pad: that is the expert's


def test_from_behind_it_is_pushed_to_the_middle():
    found = step((2.0, 2.3), (2.1, 2.95))  # it sticks out to the right, where the walker is
    assert (found.action, found.walker, found.ahead) == (LEFT, (2, 3), 0)
    np.testing.assert_allclose(found.to, (2.0, 2.6))


def test_the_walker_goes_round_it_from_cell_to_cell():
    found = step((2.3, 2.05), (2, 1))  # it sticks out below
    assert found.walker in {(3, 1)}
    assert (found.action, found.ahead) == (DOWN, 2)
    np.testing.assert_allclose(found.to, (3, 1))
    found = step((2.3, 2.05), (3, 1))  # and keeps clear of what sticks out
    assert (found.action, found.walker, found.ahead) == (RIGHT, (3, 2), 1)
    np.testing.assert_allclose(found.to, (3.2, 2))


def test_nobody_gets_behind_a_box_in_a_tunnel():
    walls = np.ones((3, 5), bool)
    walls[1, 1:4] = False
    assert step((1.0, 2.3), (1, 1), walls, pads=((1, 2),)) is None


def test_other_boxes_are_in_the_way():
    assert step((2.3, 2.0), (2, 1)).walker == (3, 1)
    assert step((2.3, 2.0), (2, 1), others=[(3.0, 1.0)]).walker == (1, 1)


@pytest.mark.parametrize(("dx", "dy"), [(0.3, 0.0), (-0.35, 0.1), (0.05, -0.3), (0.2, 0.3)])
def test_followed_in_physics_the_box_comes_to_the_middle(dx, dy, tmp_path):
    """The walker is put where it is told to go; where it pushes, the box is moved along."""
    room = ("#######", "#     #", "#     #", "#@ $. #", "#     #", "#     #", "#######")
    hints = HintOptions("solver", kind="both")
    environment: Any = load("mujoban", levels=write_levels(tmp_path, room), hints=hints)
    environment.reset()
    move_box(environment, 0, dx=1.0 + dx, dy=dy)
    qpos, still = environment.simulation.data.qpos, np.zeros(3, np.float32)
    for _ in range(30):
        timestep = environment.step(still)
        if timestep.last():
            break
        hint = environment.embedding._hint
        assert timestep.observation["hint/present"]
        before = environment.planes()
        qpos[:2] = hint.target[:2]
        distance = qpos[6:8] - qpos[:2]
        for axis in range(2):  # out of each other's way
            if (np.abs(distance) < 0.6).all() and abs(distance[axis]) == np.abs(distance).max():
                qpos[6 + axis] = qpos[axis] + 0.6 * np.sign(distance[axis])
        environment.simulation.data.qvel[:] = 0
        moved = np.abs(environment.planes() ^ before).sum()
        assert moved in (0, 2)
    assert environment.outcome == "solved"
