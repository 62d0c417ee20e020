"""Levels begun in the midst: boxes and walker put anywhere, as in play they may come to lie.

Few episodes of random play show a box on a pad, or one on its way between two cells.
"""

from dataclasses import replace

import numpy as np

from environments.embedded.mujoban.levels import BALL_RADIUS, BOX_HALF_SIZE, Cell, Placement, centre
from environments.games.sokoban.rules import PLANES

_ON_PADS = 0.5  # how often a box is put onto a pad, if one is free
_BETWEEN = 0.5  # how often one that is not lies between its cell and the next
_BOX_REACH = 0.5 - BOX_HALF_SIZE[0]  # metres that a box has to spare in its cell
_WALKER_REACH = BALL_RADIUS + 0.05  # metres
_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))


def scattered(placement: Placement, rng: np.random.Generator) -> Placement:
    """The level with boxes and walker elsewhere, nothing touching walls or each other.

    The first box is on no pad, so that the level is not solved. It may be one that cannot be.
    Where there are no more free cells than boxes and walker need, all stay where they were.
    """
    height, width, _ = placement.planes.shape
    wall = placement.planes[..., PLANES.index("wall")]
    free = {(int(row), int(column)) for row, column in np.argwhere(~wall)}
    free = {cell for cell in free if 0 < cell[0] < height - 1 and 0 < cell[1] < width - 1}
    count = len(placement.boxes)
    if len(free) < 2 * count + 1:
        return placement
    places = []  # rows and columns with fractions
    for number in range(count):
        pads = [cell for cell in placement.pads if cell in free]
        others = sorted(free - set(placement.pads)) or sorted(free)
        on_pad = bool(pads) and number > 0 and rng.random() < _ON_PADS
        cell = _draw(pads if on_pad else others, rng)
        free.remove(cell)
        step = (
            (0, 0) if on_pad else _step(cell, free if number else free - set(placement.pads), rng)
        )
        free.discard((cell[0] + step[0], cell[1] + step[1]))
        along, aside = rng.uniform(0, 1), rng.uniform(-_BOX_REACH, _BOX_REACH, 2)
        places.append(cell + np.where(step, along * np.array(step), aside))
    player = _draw(sorted(free), rng)
    row, column = player + rng.uniform(-_WALKER_REACH, _WALKER_REACH, 2)
    return replace(
        placement,
        boxes=tuple((round(r), round(c)) for r, c in places),
        box_pos=np.array([(*centre((height, width), r, c), BOX_HALF_SIZE[2]) for r, c in places]),
        player=player,
        walker_pos=centre((height, width), row, column),
    )


def _draw(cells: list[Cell], rng: np.random.Generator) -> Cell:
    return cells[int(rng.integers(len(cells)))]


def _step(cell: Cell, free: set[Cell], rng: np.random.Generator) -> Cell:
    """The way to a free neighbour, or (0, 0)."""
    ways = [step for step in _STEPS if (cell[0] + step[0], cell[1] + step[1]) in free]
    return _draw(ways, rng) if ways and rng.random() < _BETWEEN else (0, 0)
