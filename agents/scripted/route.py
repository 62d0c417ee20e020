"""From a plan of Sokoban moves to straight stretches on the ground: pure functions."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from environments.embedded.mujoban.levels import BALL_RADIUS, BOX_HALF_SIZE, centre
from environments.games.sokoban import rules

TOUCH = BALL_RADIUS + BOX_HALF_SIZE[0]  # between the middles of the ball and of a box it pushes
_NEAR = 0.04  # metres from the middle of a cell that count as there


@dataclass(frozen=True, eq=False)
class Leg:
    """A straight stretch, which begins and ends in the middle of a cell or behind a box."""

    goal: np.ndarray  # [2] x, y
    axis: np.ndarray  # [2] unit vector
    push: int = 0  # for how many of the last metres there is a box ahead
    tolerance: float = _NEAR
    after: rules.State | None = None  # what the board is to be then, if that is looked at


def legs(state: rules.State, plan: tuple[int, ...]) -> list[Leg]:
    """The plan from `state`, the ball in the middle of its cell, cut where the direction changes.

    A leg that pushes ends where the box is in the middle of its cell; the ball goes back to the
    middle of its own before it turns.
    """
    found: list[Leg] = []
    groups = [(action, len(list(group))) for action, group in itertools.groupby(plan)]
    for i, (action, moves) in enumerate(groups):
        pushes = 0
        for _ in range(moves):
            boxes, state = state.boxes, rules.apply(state, action)
            pushes += state.boxes is not boxes
        axis = direction(action)
        middle = np.array(centre(state.level.shape, *state.player))
        if not pushes:
            found.append(Leg(middle, axis))
            continue
        found.append(Leg(middle + (1 - TOUCH) * axis, axis, pushes, _NEAR / 2, state))
        turns = i + 1 < len(groups) and direction(groups[i + 1][0]) @ axis == 0
        if turns:
            found.append(Leg(middle, -axis))
    return found


def centring(position: np.ndarray, state: rules.State) -> list[Leg]:
    """Back to the middle of the player's cell, along the axis that is farther off first."""
    middle = np.array(centre(state.level.shape, *state.player))
    offset = middle - position
    found = []
    goal = position
    for i in np.argsort(-np.abs(offset)):
        if abs(offset[i]) > _NEAR:
            axis, goal = np.zeros(2), goal.copy()
            axis[i], goal[i] = math.copysign(1.0, offset[i]), middle[i]
            found.append(Leg(goal, axis))
    return found


def direction(action: int) -> np.ndarray:
    """The unit vector `[2]` on the ground of a move."""
    row, column = rules.MOVES[action]
    return np.array([column, -row], float)
