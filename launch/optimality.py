"""How near the solved episodes of Sokoban came to the fewest steps that there are."""

from collections.abc import Sequence

import numpy as np

from environments.base import BatchedEnvironment
from environments.games.sokoban.batched import BatchedSokoban
from environments.games.sokoban.level import Level, LevelSet
from launch.platforms import cores
from launch.rollouts import Episodes

# Sets of boxes that the solver may look at for a level, some tenths of a second at most; none of
# 3000 levels of Boxoban needed as many. No limit of time: results are the same on any machine.
_MAX_NODES = 100_000


def optimality(levels: Sequence[Level], lengths: Sequence[int]) -> dict[str, float]:
    """Compares the steps in which levels were solved with the fewest moves.

    Returns:
      `optimality_gap`: mean steps beyond the fewest; `optimal_share`: the share of levels solved
      in no more than these; `optimum_unknown`: how many levels are left out of both, because the
      solver gave them up. The first two are missing if all are left out, all if there is no level.
    """
    if not len(levels):
        return {}
    from environments.players.sokoban.batch import solve_all

    solutions = solve_all(levels, threads=cores(), max_nodes=_MAX_NODES)
    beyond = np.array(
        [
            length - len(solution.actions)
            for length, solution in zip(lengths, solutions, strict=True)
            if solution.status == "solved"
        ]
    )
    unknown: dict[str, float] = {"optimum_unknown": len(levels) - len(beyond)}
    if not len(beyond):
        return unknown
    return {
        "optimality_gap": float(beyond.mean()),
        "optimal_share": float((beyond == 0).mean()),
        **unknown,
    }


def optimality_of(environment: BatchedEnvironment, played: Episodes) -> dict[str, float]:
    """The same for episodes on the first levels of an environment; nothing if it is no Sokoban."""
    if not isinstance(environment, BatchedSokoban):
        return {}
    solved = np.flatnonzero(played.outcome == 0)
    rows = np.asarray(environment.table)[solved]
    walls, targets, boxes = np.split(rows[:, :-1], 3, axis=1)
    player = rows[:, -1].astype(np.int32)
    levels = LevelSet("solved", environment.shape, walls, targets, boxes, player)
    return optimality(levels, played.length[solved].tolist())
