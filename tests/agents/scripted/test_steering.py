"""Steering: the ball's model, and where commands push it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.scripted.steering import Line, Pose, beside, drive, remaining, response, wrap

STEP = 0.1
EAST, NORTH = np.array([1.0, 0.0]), np.array([0.0, 1.0])


def at_rest(x: float, y: float, heading: float) -> Pose:
    return Pose(np.array([x, y]), np.zeros(2), heading, 0.0)


def line(goal, axis, position, speed: float = 2.5) -> Line:
    return Line(goal, axis, speed, beside(position, goal, axis))


def test_response_of_one_step_is_that_of_two_halves():
    whole, half = response(STEP), response(STEP / 2)
    assert half.speed_decay**2 == pytest.approx(whole.speed_decay)
    assert half.speed_gain * (1 + half.speed_decay) == pytest.approx(whole.speed_gain)
    assert half.turn_decay**2 == pytest.approx(whole.turn_decay)
    assert half.turn_gain * (1 + half.turn_decay) == pytest.approx(whole.turn_gain)


@pytest.mark.parametrize(("heading", "roll"), [(0.0, -1.0), (math.pi, 1.0), (-math.pi, 1.0)])
def test_drives_forwards_or_backwards(heading, roll):
    """A positive roll goes backwards."""
    pose = at_rest(0.0, 0.0, heading)
    action = drive(pose, line(np.array([3.0, 0.0]), EAST, pose.position), response(STEP))
    assert action == pytest.approx([roll, 0.0, 0.0], abs=0.01)
    assert action.dtype == np.float32


def test_turns_on_the_spot_before_it_drives():
    pose = at_rest(0.0, 0.0, 0.0)
    action = drive(pose, line(np.array([0.0, 3.0]), NORTH, pose.position), response(STEP))
    assert action[0] == pytest.approx(0.0)
    assert action[1] == pytest.approx(-1.0)  # counterclockwise


def test_steers_back_to_the_line():
    left, right = (at_rest(0.0, y, 0.0) for y in (0.2, -0.2))
    goal = np.array([3.0, 0.0])
    clockwise = drive(left, line(goal, EAST, left.position), response(STEP))[1]
    assert clockwise > 0.5
    assert drive(right, line(goal, EAST, right.position), response(STEP))[1] == -clockwise


numbers = st.floats(-5, 5)


@settings(max_examples=20)
@given(numbers, numbers, numbers, numbers, st.floats(-7, 7), st.sampled_from([0.025, 0.1, 0.2]))
def test_reaches_the_goal_in_its_own_model(x, y, goal_x, goal_y, heading, step):
    """The model of the ball, driven along both axes in turn, ends within a centimetre or so."""
    ball, fine = response(step), 20
    small = response(step / fine)
    position, speed, rate = np.array([x, y]), 0.0, 0.0
    for axis, goal in ((EAST, np.array([goal_x, y])), (NORTH, np.array([goal_x, goal_y]))):
        axis = axis * (1 if remaining(position, goal, axis) >= 0 else -1)
        for _ in range(round(12 / step)):
            velocity = speed * np.array([math.cos(heading), math.sin(heading)])
            action = drive(
                Pose(position, velocity, heading, rate), line(goal, axis, position), ball
            )
            for _ in range(fine):
                speed = small.speed_decay * speed - small.speed_gain * float(action[0])
                # Friction on the spot stops small commands: the model leaves it out, so that
                # what is added against it must not do harm.
                rate = small.turn_decay * rate - small.turn_gain * float(action[1])
                heading += rate * step / fine
                position = position + speed * step / fine * np.array(
                    [math.cos(heading), math.sin(heading)]
                )
        assert abs(remaining(position, goal, axis)) < 0.03
    assert np.abs(position - [goal_x, goal_y]).max() < 0.06


@given(st.floats(-100, 100))
def test_wrap(angle):
    wrapped = wrap(angle)
    assert -math.pi <= wrapped < math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle), abs=1e-9)
    assert math.sin(wrapped) == pytest.approx(math.sin(angle), abs=1e-9)
