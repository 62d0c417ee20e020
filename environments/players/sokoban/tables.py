"""What the search looks up, computed once for each level.

Cells are those of the least rectangle that holds all that the player could reach if no box stood
in the way, numbered row by row; everything else is wall. Letters: `C` cells, `T` targets among
them, `W` 64-bit words that hold a bit for each cell: a bitboard. A box on a cell parts the others
into regions, at most four; which of them the player is in decides how the box can be pushed.

Imports numba: import this only when levels are solved.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from environments.players.sokoban.compiling import compiled

FAR = 1 << 20  # a distance that stands for: impossible
MAX_BYTES = 1 << 29  # of the distances of one level, 16 for each cell and target


class Tables(NamedTuple):
    """The tables of one level."""

    corner: tuple[int, int, int, int]  # the rectangle: top and left on the board, height, width
    inside: np.ndarray  # [C] bool: what is no wall
    targets: np.ndarray  # [C] bool
    steps: np.ndarray  # [4] int64: what a move adds to the number of a cell
    neighbours: np.ndarray  # [C, 4] int32: the next cell up, down, left, right; C: a wall
    ways: np.ndarray  # [4, W] uint64: from which cells a move that way leads to no wall
    order: np.ndarray  # [C] int32: the cell's place in a depth-first walk over all cells
    behind: np.ndarray  # [C, 4, 2] int32: first and last place, plus 1, of what only the box's cell
    # joins to the rest, by the neighbour through which the walk came there; (0, 0) where nothing is
    beside: np.ndarray  # [C, 5] int8, by box: the region of each neighbour, and of the rest; or -1
    distance: np.ndarray  # [C, 4, T] int32, [box, region, target]: fewest pushes, alone; or FAR
    dead: np.ndarray  # [C, 4] bool, [box, region]: whether no target is in reach
    hopeless: np.ndarray  # [C] bool: whether none is, from any region


def tables(
    walls: np.ndarray,
    targets: np.ndarray,
    player: tuple[int, int],
    stopped: Callable[[], bool] = lambda: False,
) -> Tables | None:
    """The tables of a level with a closed border: boards `[H, W] bool`.

    None if they would take more than `MAX_BYTES`, or once `stopped`, asked every few
    milliseconds, says so.
    """
    reach, queue = np.zeros(walls.shape, np.bool_), np.empty((walls.size, 2), np.int32)
    rectangle = np.empty(4, np.int64)
    _reach(walls, *player, reach, queue, rectangle)
    top, left, height, width = corner = tuple(rectangle.tolist())
    part = slice(top, top + height), slice(left, left + width)
    inside = reach[part].ravel()
    goals = inside & targets[part].ravel()
    count, number = len(inside), int(np.count_nonzero(goals))
    if 16 * count * number > MAX_BYTES:
        return None
    found = Tables(
        corner=corner,
        inside=inside,
        targets=goals,
        steps=np.array((-width, width, -1, 1), np.int64),
        neighbours=np.full((count, 4), count, np.int32),
        ways=np.zeros((4, (count + 63) // 64), np.uint64),
        order=np.full(count, -1, np.int32),
        behind=np.zeros((count, 4, 2), np.int32),
        beside=np.full((count, 5), -1, np.int8),
        distance=np.empty((count, 4, number), np.int32),
        dead=np.ones((count, 4), np.bool_),
        hopeless=np.empty(count, np.bool_),
    )
    root = (player[0] - top) * width + player[1] - left
    _link(width, inside, found.steps, found.neighbours, found.ways)
    _walk(found.neighbours, root, found.order, found.behind, np.empty((3, count), np.int32))
    _name_regions(found.neighbours, found.order, found.behind, found.beside)
    queue = np.empty(4 * count, np.int32)
    for target, goal in enumerate(np.flatnonzero(goals)):
        if stopped():
            return None
        _pull(found.neighbours, found.beside, found.distance, found.dead, queue, goal, target)
    found.hopeless[:] = found.dead.all(1)
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
def _link(width, inside, steps, neighbours, ways):
    """Fills in which cells lie beside which."""
    count = len(inside)
    for cell in range(count):
        for k in range(4):
            other = cell + steps[k]
            edge = k >= 2 and other // width != cell // width
            if 0 <= other < count and not edge and inside[cell] and inside[other]:
                neighbours[cell, k] = other
                ways[k, cell >> 6] |= np.uint64(1) << np.uint64(cell & 63)


@compiled
def _walk(neighbours, root, order, behind, scratch):
    """Fills in `Tables.order` and `Tables.behind`: articulation points (Hopcroft, Tarjan 1973)."""
    count = len(neighbours)
    before, done, low = scratch[0], scratch[1], scratch[2]
    order[root], low[root], before[root], done[root] = 0, 0, count, 0
    cell, reached = root, 1
    while True:
        if done[cell] < 4:
            other = neighbours[cell, done[cell]]
            done[cell] += 1
            if other == count:
                continue
            if order[other] < 0:
                order[other], low[other], before[other], done[other] = reached, reached, cell, 0
                cell, reached = other, reached + 1
            elif other != before[cell]:
                low[cell] = min(low[cell], order[other])
            continue
        ended, cell = cell, before[cell]
        if cell == count:
            return
        low[cell] = min(low[cell], low[ended])
        if low[ended] >= order[cell]:
            k = done[cell] - 1
            behind[cell, k, 0], behind[cell, k, 1] = order[ended], reached


@compiled
def _name_regions(neighbours, order, behind, beside):
    """Fills in `Tables.beside`: regions are numbered in the order of the neighbours."""
    count = len(neighbours)
    for box in range(count):
        regions = 0
        for k in range(4):
            cell = neighbours[box, k]
            if cell == count:
                continue
            part = 4
            for j in range(4):
                if behind[box, j, 0] <= order[cell] < behind[box, j, 1]:
                    part = j
            for j in range(k):
                other = neighbours[box, j]
                if other == count:
                    continue
                same = part == 4
                for i in range(4):
                    if behind[box, i, 0] <= order[other] < behind[box, i, 1]:
                        same = i == part
                if same:
                    beside[box, k] = beside[box, j]
            if beside[box, k] < 0:
                beside[box, k] = regions
                regions += 1
            if part == 4:
                beside[box, 4] = beside[box, k]


@compiled
def _pull(neighbours, beside, distance, dead, queue, goal, target):
    """Pulls a lone box from `goal` to wherever it could have come from, breadth first."""
    count = len(neighbours)
    for cell in range(count):
        for side in range(4):
            distance[cell, side, target] = FAR
    for side in range(4):
        queue[side] = 4 * goal + side
        distance[goal, side, target], dead[goal, side] = 0, False
    read, filled = 0, 4
    while read < filled:
        box, side = queue[read] >> 2, queue[read] & 3
        read += 1
        for k in range(4):
            before = neighbours[box, k]  # the box was here before the push, the player is after it
            if before == count or beside[box, k] != side:
                continue
            stand = neighbours[before, k]
            if stand == count:
                continue
            other = beside[before, k]
            if distance[before, other, target] == FAR:
                distance[before, other, target] = distance[box, side, target] + 1
                dead[before, other] = False
                queue[filled] = 4 * before + other
                filled += 1
