"""The single face: one world of a game, step by step in NumPy. Loads no JAX."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dm_env
import numpy as np
from dm_env import specs

from environments.actions import action_check
from environments.errors import UserError

_ZERO, _ONE = np.float32(0), np.float32(1)


@dataclass(frozen=True)
class EnvironmentSpec:
    """What an agent may know of an environment: specs of one environment, without `B`."""

    observation: dict[str, specs.Array]  # a flat dict, whatever the game
    action: specs.Array  # DiscreteArray, or BoundedArray float32
    outcomes: tuple[str, ...]  # how an episode may end; the first counts as success


@dataclass(frozen=True)
class Progress:
    """What one step has done to the game."""

    reward: float = 0.0
    outcome: str | None = None  # one of the environment's outcomes if the episode has ended
    truncated: bool = False  # whether it was cut off by no end of the game: discount 1


@dataclass(frozen=True)
class Snapshot:
    """A symbolic game at one moment."""

    state: Any  # of the game's rules; None before the first reset
    rng: dict[str, Any]
    steps: int
    limit: int
    level: int
    outcome: str | None
    running: bool
    more: Any  # what else changes in this game


class Environment(dm_env.Environment):
    """One world of a game: dm_env's interface, and all else that runners and videos ask for.

    A game says five things: its `spec`, how an episode begins (`begin`), what an action does
    (`advance`), what is seen (`observation`), and its board (`planes`). It keeps its position in
    `self._state`, which it replaces and never writes to, draws from `self._rng` alone, and finds
    the steps of the episode, this one included, in `self._steps`. All else has defaults.

    A step after LAST, or before any reset, ignores its action and resets. A FIRST has neither
    reward nor discount: both are None, as dm_env has it; else both are float32.

    `copy.deepcopy` and `pickle` give a world that goes on as this one does, bit for bit.
    """

    options: Any = None  # from which `environments.load` has made it, if that has
    steps_per_second: float = 5.0  # at which people like to watch it

    def __init__(self, *, seed: int = 0, time_limit: int = 0):
        """`time_limit`: steps after which an episode is cut off; 0 for none."""
        self._rng = np.random.default_rng(seed)
        self._limit = time_limit
        self._state: Any = None
        self._steps = self._level = 0
        self._outcome: str | None = None
        self._running = False
        self._check: Callable[[Any], Any] | None = None

    @property
    @abstractmethod
    def spec(self) -> EnvironmentSpec:
        """What an agent may know of it: observations, action, how episodes end."""

    @abstractmethod
    def begin(self, level: int) -> None:
        """Sets the game to the start of `level`; draws what is random there."""

    @abstractmethod
    def advance(self, action: Any) -> Progress:
        """Does one step under `action`, which is within the spec. The time limit is not its own."""

    @abstractmethod
    def observation(self) -> dict[str, np.ndarray]:
        """What the present moment shows, in new arrays."""

    @abstractmethod
    def planes(self) -> np.ndarray:
        """The abstract state, `[H, W, C] bool`, as a new array."""

    @property
    def num_levels(self) -> int:
        """How many levels there are to start from; 1 if all that differs is drawn."""
        return 1

    @property
    def unfinished(self) -> str:
        """The outcome of an episode that its time limit cuts off."""
        return self.spec.outcomes[-1]

    @property
    def level_index(self) -> int:
        """The level that is being played."""
        return self._level

    @property
    def outcome(self) -> str | None:
        """How the episode ended, one of `spec.outcomes`; None until it has."""
        return self._outcome

    @property
    def state(self) -> Any:
        """The position, a state of the game's rules. Raises RuntimeError before the first reset."""
        if self._state is None:
            raise RuntimeError("there is no state before the first reset")
        return self._state

    @property
    def info(self) -> dict[str, np.ndarray]:
        """Scalars beside the observation, the same keys at every step.

        `outcome` is an index into `spec.outcomes`, -1 until the episode has ended.
        """
        index = -1 if self._outcome is None else self.spec.outcomes.index(self._outcome)
        return {"outcome": np.asarray(index, np.int32)}

    def reset(self) -> dm_env.TimeStep:
        """Starts an episode on a level drawn at random."""
        return self.reset_to(int(self._rng.integers(self.num_levels)))

    def reset_to(self, level: int) -> dm_env.TimeStep:
        """Starts an episode on `level`, with the longest time limit.

        Raises IndexError if there is no such level.
        """
        if not 0 <= level < self.num_levels:
            raise IndexError(f"there is no level {level}: there are {self.num_levels}")
        self._level, self._steps, self._outcome = level, 0, None
        self._running = False  # unless it begins
        self.begin(level)
        self._running = True
        return dm_env.restart(self.observation())

    def step(self, action: Any) -> dm_env.TimeStep:
        """One step, or a reset if the episode has ended or none has begun.

        Raises ValueError for an action that is not within the spec; nothing has happened then.
        """
        if not self._running or self._outcome is not None:
            return self.reset()
        if self._check is None:
            self._check = action_check(self.action_spec())
        action = self._check(action)
        self._steps += 1
        self._running = False  # unless it succeeds
        progress = self.advance(action)
        self._running = True
        reward = np.float32(progress.reward) if progress.reward else _ZERO
        discount = _ONE
        if progress.outcome is not None:
            self._outcome, discount = progress.outcome, np.float32(progress.truncated)
        elif self._steps == self._limit:
            self._outcome = self.unfinished
        kind = dm_env.StepType.MID if self._outcome is None else dm_env.StepType.LAST
        return dm_env.TimeStep(kind, reward, discount, self.observation())

    def reseed(self, seed: int) -> None:
        """Makes all that is random from now on follow from `seed`.

        What the next reset begins is what a new environment of this seed would begin.
        """
        self._rng = np.random.default_rng(seed)

    def picture(self) -> np.ndarray:
        """The present moment for people, `[height, width, 3] uint8`, whatever is observed."""
        from environments.pictures import PICTURE_SIDE, board_picture

        return board_picture(self.state, self.planes(), PICTURE_SIDE)

    def snapshot(self) -> Any:
        """This moment, picklable, for `restore` here or in an environment of the same options."""
        return Snapshot(
            self._state, dict(self._rng.bit_generator.state), self._steps, self._limit,
            self._level, self._outcome, self._running, self._more(),
        )  # fmt: skip

    def restore(self, snapshot: Any) -> None:
        """Goes back to `snapshot`: all that follows is bit for bit what followed then."""
        self._state, self._rng.bit_generator.state = snapshot.state, snapshot.rng
        self._steps, self._limit, self._level = snapshot.steps, snapshot.limit, snapshot.level
        self._outcome, self._running = snapshot.outcome, snapshot.running
        self._set_more(snapshot.more)

    def _more(self) -> Any:
        """What else changes, picklable and never written to."""

    def _set_more(self, more: Any) -> None:
        """Goes back to what `_more` gave."""

    def __reduce__(self) -> tuple[Any, ...]:
        if self.options is None:
            raise UserError(
                f"this {type(self).__name__} cannot be copied: only what environments.load has "
                "made can; take a snapshot() and restore() it in another one"
            )
        return _copy, (self.options, self.snapshot())

    def observation_spec(self) -> dict[str, specs.Array]:
        """One spec for each key of the observation."""
        return self.spec.observation

    def action_spec(self) -> Any:
        """A DiscreteArray int32, or a BoundedArray float32."""
        return self.spec.action

    def reward_spec(self) -> specs.Array:
        """A float32 scalar."""
        return specs.Array((), np.float32, name="reward")

    def discount_spec(self) -> specs.BoundedArray:
        """A float32 scalar in [0, 1]."""
        return specs.BoundedArray((), np.float32, 0.0, 1.0, name="discount")


def _copy(options: Any, snapshot: Any) -> Environment:
    from environments.registry import build

    environment = build(options)
    environment.restore(snapshot)
    return environment
