"""Plays symbolic Sokoban by the solver's plan of fewest moves."""

from collections.abc import Iterator

import dm_env
import numpy as np

from environments.games.sokoban.environment import Sokoban
from environments.players.sokoban.solver import solve


class MovesScript:
    """A policy for one environment: `script(timestep) -> action`. It plans at a FIRST.

    Where the solver finds no plan, and after its plan's end, it tries to go up.
    """

    def __init__(self, environment: Sokoban):
        self._environment = environment
        self._plan: Iterator[int] = iter(())

    def __call__(self, timestep: dm_env.TimeStep) -> np.ndarray:
        """The action, an index into `rules.ACTIONS`, int32."""
        if timestep.first():
            self._plan = iter(solve(self._environment.state).actions)
        return np.asarray(next(self._plan, 0), np.int32)
