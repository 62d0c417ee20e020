"""Sokoban as one `dm_env.Environment`, in NumPy, over the rules."""

import dm_env
import numpy as np

from environments.games.sokoban import rules
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.observations import observe, sprites
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.sources import load_levels
from environments.games.sokoban.spec import sokoban_spec
from environments.single import Environment, EnvironmentSpec, Progress


class Sokoban(Environment):
    """Push every box onto a target; boxes cannot be pulled, nor two pushed at once.

    Observation: a dict with each kind that `options.observations` names, for a board of `H, W`:
        planes:  `[H, W, 4] bool`: wall, target, player, box; not one-hot, for the player or a
                 box may stand on a target.
        pixels:  `[H, W, 3] uint8`, one pixel per cell in MuJoBan's colours, in [0, 255].
        sprites: `[8H, 8W, 3] uint8`, a picture of 8x8 pixels per cell, in [0, 255].
    Action: an integer (spec: int32): 0 up, 1 down, 2 left, 3 right, and with `options.noop`
        4, which does nothing. A blocked move does nothing either. Anything else raises
        ValueError.
    Reward: float32 in [-1.1, 10.9]: -0.1 for every step, +1 for a box pushed onto a target, -1
        for one pushed off, and +10 for the push that solves the level.
    Termination: every box stands on a target: LAST with discount 0, outcome `solved`.
    Truncation: after a number of steps drawn for each episode uniformly from
        `options.time_limit`, both ends included: LAST with discount 1, outcome `unsolved`.
    Reset: a level drawn uniformly from the level set. Levels and time limits follow from `seed`
        alone.

    No two observations share memory.
    """

    def __init__(self, levels: LevelSet, options: SokobanOptions, *, seed: int = 0):
        """Plays on `levels`; `options.levels` is not looked at."""
        super().__init__(seed=seed)
        self._levels, self._options = levels, options
        self._spec = sokoban_spec(levels.shape, options)

    @classmethod
    def from_options(cls, options: SokobanOptions, seed: int = 0) -> "Sokoban":
        """Loads the level source that `options` names. Raises UserError if it is wrong."""
        return cls(load_levels(options.levels, options.board), options, seed=seed)

    @property
    def spec(self) -> EnvironmentSpec:
        return self._spec

    @property
    def num_levels(self) -> int:
        return len(self._levels)

    def reset(self) -> dm_env.TimeStep:
        """Starts an episode on a level and with a time limit drawn at random."""
        low, high = self._options.time_limit
        level = int(self._rng.integers(self.num_levels))
        limit = int(self._rng.integers(low, high, endpoint=True))
        first = self.reset_to(level)
        self._limit = limit
        return first

    def begin(self, level: int) -> None:
        """The start of `level`, with the longest time limit; draws nothing."""
        self._state = rules.initial_state(self._levels[level])
        self._limit = self._options.time_limit[1]

    def advance(self, action: int) -> Progress:
        before, self._state = self.state, rules.apply(self.state, action)
        solved = rules.solved(self._state)
        return Progress(rules.reward(before, self._state), "solved" if solved else None)

    def observation(self) -> dict[str, np.ndarray]:
        return observe(self._options.observations, self.planes(), np)

    def planes(self) -> np.ndarray:
        return rules.planes(self.state)

    def picture(self) -> np.ndarray:
        """The board for people, `[8H, 8W, 3] uint8`, whatever is observed."""
        return sprites(self.planes())
