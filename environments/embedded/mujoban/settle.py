"""What is left to do when every box is on a target for the rules, but askew for physics.

All places are rows and columns with fractions; a cell's middle is whole.
"""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from environments.embedded.mujoban.board import Place
from environments.embedded.mujoban.levels import Cell
from environments.games.sokoban import rules

_CLEAR = 1.2  # from the middle of the pad to the ball that comes round to a box that sticks out


@dataclass(frozen=True)
class Step:
    """The next thing to do."""

    action: int  # the move in whose direction it is
    to: Place  # where the walker should go
    ahead: float  # metres that it has still to go then
    walker: Cell  # the walker's cell after it


def next_step(
    walls: np.ndarray,
    pads: Collection[Cell],
    boxes: Sequence[Place],
    walker: tuple[Place, Cell],
    reach: float,
    touch: float,
) -> Step | None:
    """How to bring the box that is askew, and nearest, to the middle of its pad.

    It is pushed back along the axis on which it is further off, from the side to which it sticks
    out; the walker goes there from cell to cell, round the boxes.

    Args:
      walls: `[H, W] bool`.
      pads: the targets.
      boxes: where they are.
      walker: where it is, and the cell it counts as in.
      reach: how far off a box still activates a pad, in rows and in columns.
      touch: from the middle of a box to that of the walker which pushes it.

    Returns:
      None if no box is askew, or nobody can get behind it.
    """
    cells = [(round(row), round(column)) for row, column in boxes]
    askew = [
        (place, cell)
        for place, cell in zip(boxes, cells, strict=True)
        if cell in pads and np.abs(np.subtract(place, cell)).max() > reach
    ]
    if not askew:
        return None
    place, cell = min(askew, key=lambda each: np.abs(np.subtract(each[0], walker[0])).sum())
    off = np.subtract(place, cell)
    axis = int(np.abs(off).argmax())
    out = np.zeros(2, int)
    out[axis] = int(np.sign(off[axis]))
    behind = cell[0] + int(out[0]), cell[1] + int(out[1])
    push = rules.MOVES.index((-int(out[0]), -int(out[1])))
    here = walker[1]
    if here == behind:
        to = np.array(place, float)
        to[axis] = cell[axis] + touch * out[axis]
        return Step(push, (float(to[0]), float(to[1])), 0.0, here)
    way = _way(walls, set(cells), here, behind)
    if way is None:
        return None
    to = np.array(cell) + _CLEAR * out if way[0] == behind else np.array(way[0], float)
    move = way[0][0] - here[0], way[0][1] - here[1]
    return Step(rules.MOVES.index(move), (float(to[0]), float(to[1])), float(len(way)), way[0])


def _way(walls: np.ndarray, boxes: set[Cell], start: Cell, goal: Cell) -> list[Cell] | None:
    """The cells of a shortest way after `start`, `goal` included; None if there is none."""
    came: dict[Cell, Cell] = {start: start}
    queue = deque([start])
    while queue:
        cell = queue.popleft()
        if cell == goal:
            way = []
            while cell != start:
                way.append(cell)
                cell = came[cell]
            return way[::-1]
        for row, column in rules.MOVES:
            beside = cell[0] + row, cell[1] + column
            if beside not in came and beside not in boxes and _open(walls, beside):
                came[beside] = cell
                queue.append(beside)
    return None


def _open(walls: np.ndarray, cell: Cell) -> bool:
    return all(0 <= x < size for x, size in zip(cell, walls.shape, strict=True)) and not walls[cell]
