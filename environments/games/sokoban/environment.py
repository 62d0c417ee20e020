"""Sokoban as one `dm_env.Environment`, in NumPy, over the rules."""

import operator
from typing import TYPE_CHECKING, Any

import dm_env
import numpy as np
from dm_env import specs

from environments.games.sokoban import rules
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.observations import observation_spec, observe, sprites
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.sources import load_levels

if TYPE_CHECKING:
    from environments.base import EnvironmentSpec


class Sokoban(dm_env.Environment):
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
    Discount: float32, 1 but at a termination. As dm_env has it, a FIRST has neither reward nor
        discount: both are None.
    Reset: a level drawn uniformly from the level set. A step after LAST, or before any reset,
        ignores its action and resets. Levels and time limits follow from `seed` alone.

    No two observations share memory.
    """

    def __init__(self, levels: LevelSet, options: SokobanOptions, *, seed: int = 0):
        """Plays on `levels`; `options.levels` is not looked at."""
        self._levels = levels
        self._options = options
        self._rng = np.random.default_rng(seed)
        self._num_actions = len(rules.ACTIONS) if options.noop else len(rules.ACTIONS) - 1
        self._state: rules.State | None = None
        self._level_index = 0
        self._steps_left = 0
        self._outcome: str | None = None

    @classmethod
    def from_options(cls, options: SokobanOptions, seed: int = 0) -> "Sokoban":
        """Loads the level source that `options` names. Raises UserError if it is wrong."""
        return cls(load_levels(options.levels, options.board), options, seed=seed)

    @property
    def spec(self) -> "EnvironmentSpec":
        """What an agent may know of it."""
        from environments.games.sokoban.spec import sokoban_spec  # loads JAX, which play does not

        return sokoban_spec(self._levels.shape, self._options)

    @property
    def num_levels(self) -> int:
        """How many levels there are to start from."""
        return len(self._levels)

    @property
    def level_index(self) -> int:
        """The level that is being played: an index into the level set."""
        return self._level_index

    @property
    def state(self) -> rules.State:
        """The position. Raises RuntimeError before the first reset."""
        if self._state is None:
            raise RuntimeError("there is no state before the first reset")
        return self._state

    @property
    def outcome(self) -> str | None:
        """How the episode ended, one of `rules.OUTCOMES`; None until it has."""
        return self._outcome

    def reset(self) -> dm_env.TimeStep:
        """Starts an episode on a level and with a time limit drawn at random."""
        low, high = self._options.time_limit
        index = int(self._rng.integers(len(self._levels)))
        return self._start(index, int(self._rng.integers(low, high, endpoint=True)))

    def reset_to(self, index: int) -> dm_env.TimeStep:
        """Starts an episode on level `index`, with the longest time limit; draws nothing.

        Raises IndexError if there is no such level.
        """
        if not 0 <= index < len(self._levels):
            raise IndexError(f"there is no level {index}: there are {len(self._levels)}")
        return self._start(index, self._options.time_limit[1])

    def _start(self, index: int, time_limit: int) -> dm_env.TimeStep:
        self._state = rules.initial_state(self._levels[index])
        self._level_index = index
        self._steps_left = time_limit
        self._outcome = None
        return dm_env.restart(self._observe())

    def step(self, action: Any) -> dm_env.TimeStep:
        """Makes a move, or resets if the episode has ended or none has begun."""
        if self._state is None or self._outcome is not None:
            return self.reset()
        before, self._state = self._state, rules.apply(self._state, self._checked(action))
        self._steps_left -= 1
        reward, discount = np.float32(rules.reward(before, self._state)), np.float32(1.0)
        if rules.solved(self._state):
            self._outcome, discount = "solved", np.float32(0.0)
        elif self._steps_left == 0:
            self._outcome = "unsolved"
        step_type = dm_env.StepType.LAST if self._outcome else dm_env.StepType.MID
        return dm_env.TimeStep(step_type, reward, discount, self._observe())

    def _checked(self, action: Any) -> int:
        try:
            if isinstance(action, bool):
                raise TypeError
            index = operator.index(action)
        except TypeError:
            raise ValueError(f"action must be an integer, not {action!r}") from None
        if not 0 <= index < self._num_actions:
            raise ValueError(f"action must be in 0 to {self._num_actions - 1}, not {index}")
        return index

    def _observe(self) -> dict[str, np.ndarray]:
        return observe(self._options.observations, rules.planes(self.state), np)

    def picture(self) -> np.ndarray:
        """The board for people, `[8H, 8W, 3] uint8`, whatever is observed."""
        return sprites(rules.planes(self.state))

    def observation_spec(self) -> dict[str, specs.Array]:
        """One spec for each key of the observation."""
        kinds = self._options.observations
        return {kind: observation_spec(kind, self._levels.shape) for kind in kinds}

    def action_spec(self) -> specs.DiscreteArray:
        """Indices into `rules.ACTIONS`."""
        return specs.DiscreteArray(self._num_actions, dtype=np.int32, name="action")

    def reward_spec(self) -> specs.Array:
        """A float32 scalar."""
        return specs.Array((), np.float32, name="reward")

    def discount_spec(self) -> specs.BoundedArray:
        """A float32 scalar in [0, 1]."""
        return specs.BoundedArray((), np.float32, 0.0, 1.0, name="discount")
