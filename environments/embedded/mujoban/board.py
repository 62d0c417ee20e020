"""The abstract state of MuJoBan: positions rounded to cells, and what is done where that fails."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np

from environments.embedded.mujoban.levels import Cell

Place = tuple[float, float]  # row and column with fractions
Pressed = tuple[int | None, ...]  # for every box the number of the pad that it activates, if any


@dataclass(frozen=True)
class Board:
    """Where boxes and player are: each box in an open cell of its own, the player in another."""

    boxes: tuple[Cell, ...]
    player: Cell
    overlaps: int = 0  # how many of them rounded into a cell that they cannot be in


def rounded(walls: np.ndarray, boxes: Sequence[Place], walker: Place, before: Board) -> Board:
    """The board that these places show after the board `before`; `walls` is `[H, W] bool`.

    What rounds into a wall, off the board or into a cell that is taken stays in its cell of
    `before`; if that is taken too, it is put into the nearest cell that is free. Among boxes
    those that have not changed cells come first, then in their order; the walker comes last.
    """
    wanted = tuple((round(row), round(column)) for row, column in boxes)
    player = round(walker[0]), round(walker[1])
    if (
        len(set(wanted)) == len(wanted)
        and player not in wanted
        and _open(walls, player)
        and all(_open(walls, cell) for cell in wanted)
    ):
        return Board(wanted, player)
    settled = _settled(walls, boxes, wanted, before.boxes)
    overlaps = sum(cell != wish for cell, wish in zip(settled, wanted, strict=True))
    if player in settled or not _open(walls, player):
        overlaps += 1
        player = _other(walls, walker, before.player, settled)
    return Board(settled, player, overlaps)


def pressed(pads: Sequence[Cell], boxes: Sequence[Place], reach: float) -> Pressed:
    """The pads that boxes activate: those whose centre is within `reach` in rows and in columns.

    `reach` is at most half a cell, so that a box has but one pad in reach.
    """
    found: list[int | None] = []
    for row, column in boxes:
        cell = round(row), round(column)
        near = abs(row - cell[0]) <= reach and abs(column - cell[1]) <= reach
        found.append(pads.index(cell) if near and cell in pads else None)
    return tuple(found)


def active_pads(pressed: Pressed) -> int:
    """How many pads are active."""
    return len({pad for pad in pressed if pad is not None})


def _settled(
    walls: np.ndarray,
    places: Sequence[Place],
    wanted: Sequence[Cell],
    before: Sequence[Cell],
) -> tuple[Cell, ...]:
    """A cell of its own for every box."""
    owners: dict[Cell, int] = {}
    unmoved_first = sorted(range(len(wanted)), key=lambda i: wanted[i] != before[i])
    for i in unmoved_first:
        if _open(walls, wanted[i]):
            owners.setdefault(wanted[i], i)
    for i in sorted(set(unmoved_first) - set(owners.values())):
        owners[_other(walls, places[i], before[i], owners)] = i
    return tuple(sorted(owners, key=owners.__getitem__))


def _other(walls: np.ndarray, place: Place, before: Cell, taken: Container[Cell]) -> Cell:
    """`before` if it is free, else the free cell nearest to `place`."""
    if before not in taken:
        return before
    row, column = place
    free = [cell for cell in zip(*np.nonzero(~walls), strict=True) if cell not in taken]
    nearest = min(free, key=lambda cell: (cell[0] - row) ** 2 + (cell[1] - column) ** 2)
    return int(nearest[0]), int(nearest[1])


def _open(walls: np.ndarray, cell: Cell) -> bool:
    row, column = cell
    height, width = walls.shape
    return 0 <= row < height and 0 <= column < width and not walls[row, column]
