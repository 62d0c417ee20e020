"""What the search looks up, computed once for each level.

Cells are those of the least rectangle that holds all that the player could reach if no box stood
in the way, numbered row by row; everything else is wall. Letters: `C` cells, `T` targets among
them, `W` 64-bit words that hold a bit for each cell: a bitboard. A box on a cell parts the others
into regions, at most four; which of them the player is in decides how the box can be pushed.

Imports numba: import this only when levels are solved.
"""

from typing import NamedTuple

import numpy as np

from environments.players.sokoban.compiling import compiled

FAR = 1 << 20  # a distance that stands for: impossible


class Tables(NamedTuple):
    """The tables of one level."""

    corner: tuple[int, int, int, int]  # the rectangle: top and left on the board, height, width
    inside: np.ndarray  # [C] bool: what is no wall
    targets: np.ndarray  # [C] bool
    steps: np.ndarray  # [4] int64: what a move adds to the number of a cell
    neighbours: np.ndarray  # [C, 4] int32: the next cell up, down, left, right; C: a wall
    ways: np.ndarray  # [4, W] uint64: from which cells a move that way leads to no wall
    region: np.ndarray  # [C, C] int8, [box, player]: the player's region; -1 where there is none
    distance: np.ndarray  # [C, 4, T] int32, [box, region, target]: fewest pushes, alone; or FAR
    dead: np.ndarray  # [C, 4] bool, [box, region]: whether no target is in reach
    hopeless: np.ndarray  # [C] bool: whether none is, from any region


def tables(walls: np.ndarray, targets: np.ndarray, player: tuple[int, int]) -> Tables:
    """The tables of a level with a closed border: boards `[H, W] bool`."""
    reach, queue = np.zeros(walls.shape, np.bool_), np.empty((walls.size, 2), np.int32)
    rectangle = np.empty(4, np.int64)
    _reach(walls, *player, reach, queue, rectangle)
    top, left, height, width = corner = tuple(rectangle.tolist())
    part = slice(top, top + height), slice(left, left + width)
    inside = reach[part].ravel()
    goals = inside & targets[part].ravel()
    count = len(inside)
    found = Tables(
        corner=corner,
        inside=inside,
        targets=goals,
        steps=np.array((-width, width, -1, 1), np.int64),
        neighbours=np.full((count, 4), count, np.int32),
        ways=np.zeros((4, (count + 63) // 64), np.uint64),
        region=np.full((count, count), -1, np.int8),
        distance=np.full((count, 4, np.count_nonzero(goals)), FAR, np.int32),
        dead=np.ones((count, 4), np.bool_),
        hopeless=np.empty(count, np.bool_),
    )
    _fill(width, np.empty(4 * count, np.int32), *found[1:])
    return found


@compiled
def _reach(walls, row, column, reach, queue, rectangle):
    """Marks in `reach [H, W]` what is connected to the player's cell, and bounds it."""
    queue[0, 0], queue[0, 1], reach[row, column] = row, column, True
    top, left, bottom, right = row, column, row, column
    read, filled = 0, 1
    while read < filled:
        for k in range(4):
            along = -1 if k % 2 == 0 else 1
            y = queue[read, 0] + (along if k < 2 else 0)
            x = queue[read, 1] + (along if k >= 2 else 0)
            if not reach[y, x] and not walls[y, x]:
                reach[y, x] = True
                queue[filled, 0], queue[filled, 1] = y, x
                filled += 1
                top, bottom, left, right = min(top, y), max(bottom, y), min(left, x), max(right, x)
        read += 1
    rectangle[0], rectangle[1] = top, left
    rectangle[2], rectangle[3] = bottom + 1 - top, right + 1 - left


@compiled
def _fill(width, queue, inside, goals, steps, neighbours, ways, region, distance, dead, hopeless):
    """Fills in the rest of the tables."""
    count, target = len(inside), 0
    for cell in range(count):
        for k in range(4):
            other = cell + steps[k]
            edge = k >= 2 and other // width != cell // width
            if 0 <= other < count and not edge and inside[cell] and inside[other]:
                neighbours[cell, k] = other
                ways[k, cell >> 6] |= np.uint64(1) << np.uint64(cell & 63)
    for cell in range(count):
        if inside[cell]:
            _part(neighbours, region, queue, cell)
    for cell in range(count):
        if goals[cell]:
            _pull(neighbours, region, distance, dead, queue, cell, target)
            target += 1
    for cell in range(count):
        hopeless[cell] = dead[cell, 0] and dead[cell, 1] and dead[cell, 2] and dead[cell, 3]


@compiled
def _part(neighbours, region, queue, box):
    """Writes one row of `Tables.region`."""
    count, regions = len(neighbours), 0
    for k in range(4):
        start = neighbours[box, k]
        if start == count or region[box, start] >= 0:
            continue
        queue[0], region[box, start] = start, regions
        read, filled = 0, 1
        while read < filled:
            for d in range(4):
                cell = neighbours[queue[read], d]
                if cell != count and cell != box and region[box, cell] < 0:
                    region[box, cell] = regions
                    queue[filled] = cell
                    filled += 1
            read += 1
        regions += 1


@compiled
def _pull(neighbours, region, distance, dead, queue, goal, target):
    """Pulls a lone box from `goal` to wherever it could have come from, breadth first."""
    count = len(neighbours)
    for side in range(4):
        queue[side] = 4 * goal + side
        distance[goal, side, target], dead[goal, side] = 0, False
    read, filled = 0, 4
    while read < filled:
        box, side = queue[read] >> 2, queue[read] & 3
        read += 1
        for k in range(4):
            before = neighbours[box, k]  # the box was here before the push, the player is after it
            if before == count or region[box, before] != side:
                continue
            stand = neighbours[before, k]
            if stand == count:
                continue
            other = region[before, stand]
            if distance[before, other, target] == FAR:
                distance[before, other, target] = distance[box, side, target] + 1
                dead[before, other] = False
                queue[filled] = 4 * before + other
                filled += 1
