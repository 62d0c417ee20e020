"""Where on a board an action is pressed: for whoever points at it and for whoever presses it."""

from dataclasses import dataclass

import numpy as np

from environments.embedded.boards.spec import BoardSpec
from environments.games.board.game import BoardGame

_PLATE = 0.08  # m, half the width of the part of the pass plate that is pressed, at most


@dataclass(frozen=True)
class Target:
    """A square to press: a cell or a part of the pass plate."""

    point: np.ndarray  # [3] m, the middle of its upper face
    sensor: float  # m, half the width of what senses touch
    reach: float  # m, half its width


def targets_of(action: int, game: BoardGame, spec: BoardSpec) -> list[Target]:
    """The squares that stand for `action`: a cell, the cells of a column, or the two ends of the
    pass plate, which sticks out left and right of the board.
    """
    if action == game.pass_action:
        height, width = spec.extent
        half = min(_PLATE, width / 4, height / 2)
        ends = (-width / 2 - half, width / 2 + half)
        points = [np.array([x, spec.offset, spec.plate[2]]) for x in ends]
        return [Target(point, half, half) for point in points]
    cells = [cell for cell in spec.cells if game.action_of_cell(*cell) == action]
    return [Target(spec.centre(*cell), spec.sensor, spec.tile) for cell in cells]


def nearest(targets: list[Target], point: np.ndarray) -> list[Target]:
    """The targets in order of their distance from `point`, `[3]` m: the nearest comes first."""
    return sorted(targets, key=lambda target: float(np.abs(target.point - point)[:2].sum()))
