"""Solves Sokoban with the fewest moves, or proves that it cannot be done, within limits.

Imports numba: import this only when levels are solved.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from environments.games.sokoban.level import Level
from environments.games.sokoban.rules import State
from environments.players.sokoban import memory, search
from environments.players.sokoban.plan import plan
from environments.players.sokoban.tables import tables

MAX_NODES = 1_000_000
_FIRST = 1 << 13  # nodes that a search has room for at first
_CHUNK = 4096  # items of 64 cells, times boxes, between two looks at the clock: < 1 ms


@dataclass(frozen=True)
class Solution:
    """What a search found out."""

    status: Literal["solved", "unsolvable", "gave_up"]
    actions: tuple[int, ...]  # indices into `rules.ACTIONS`, as few as can be; () unless solved
    expanded: int  # steps of the search, each of all cells that so many moves lead to


def solve(
    start: Level | State,
    *,
    max_nodes: int = MAX_NODES,
    deadline: float | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Solution:
    """Searches for a plan of fewest moves.

    Args:
      start: a level at its start, or any position.
      max_nodes: how many sets of boxes the search may keep before it gives up, at least 1. One
        takes about 170 bytes, and 40 more for every 64 cells beyond the first 64; of whatever takes
        more than 1.5 GB it keeps fewer.
      deadline: when it gives up (`time.monotonic`, s), late by some milliseconds at most.
      cancelled: asked as often as the clock; the search gives up once it says so.

    Returns:
      `solved` with the plan, which is empty if all boxes are on targets already; `unsolvable` if
      that is proved; `gave_up` at a limit.
    """
    level = start.level if isinstance(start, State) else start
    if not np.any(start.boxes & ~level.targets):
        return Solution("solved", (), 0)

    def stopped() -> bool:
        return (deadline is not None and time.monotonic() >= deadline) or cancelled()

    known = tables(level.walls, level.targets, start.player, stopped)
    if known is None:
        return Solution("gave_up", (), 0)
    top, left, height, width = known.corner
    boxes = start.boxes[top : top + height, left : left + width].ravel() & known.inside
    player = (start.player[0] - top) * width + start.player[1] - left
    count, targets = int(boxes.sum()), known.distance.shape[2]
    # Boxes that the player can never touch count only if they are off their targets.
    stuck = int((start.boxes & ~level.targets).sum()) - int((boxes & ~known.targets).sum())
    if stuck or count > targets:
        return Solution("unsolvable", (), 0)
    max_nodes = min(max_nodes, memory.most_nodes(len(boxes)))
    held = memory.memory(min(_FIRST, max_nodes), len(boxes), count, targets)
    status, limit = search.RUNNING, max(1, 64 * _CHUNK // (count * (64 + len(boxes))))
    while status in (search.RUNNING, search.FULL):
        if stopped():
            break
        if status == search.FULL:
            if len(held.info) >= max_nodes:
                break
            held = memory.grown(held, min(4 * len(held.info), max_nodes))
        status = search.run(limit, boxes, player, *known[1:], *held)
    expanded = int(held.counters[memory.EXPANDED])
    if status == search.SOLVED:
        return Solution("solved", tuple(plan(known, held)), expanded)
    return Solution("unsolvable" if status == search.UNSOLVABLE else "gave_up", (), expanded)
