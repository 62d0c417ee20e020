"""Types that cross module boundaries: the time step, the specification, the batched face.

Shape letters: `B` boards at once, `H, W` board, `C` channels.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
from dm_env import specs

Array = Any  # jax.Array inside JAX functions, numpy.ndarray outside
Observation = dict[str, Array]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TimeStep:
    """What `B` environments show after one step, batched (JAX) or vector (NumPy).

    A step after a LAST ignores its action, resets, and gives a FIRST. A time limit is a
    truncation: `is_last` with `discount` still 1. A true end has `discount` 0. On a FIRST the
    reward is 0 and the discount 1.
    """

    observation: Observation  # each [B, ...]; the true last observation at LAST
    reward: Array  # [B] float32
    discount: Array  # [B] float32
    is_first: Array  # [B] bool
    is_last: Array  # [B] bool
    info: dict[str, Array]  # outcome: [B] int32, an index into spec.outcomes, valid at LAST


@dataclass(frozen=True)
class EnvironmentSpec:
    """What an agent may know of an environment: specs of one environment, without `B`."""

    observation: dict[str, specs.Array]  # a flat dict, whatever the game
    action: specs.Array  # DiscreteArray, or BoundedArray float32
    outcomes: tuple[str, ...]  # how an episode may end; the first counts as success


@runtime_checkable
class BatchedEnvironment(Protocol):
    """A game as pure JAX functions: no host calls, every array of a state `[B, ...]`.

    An implementation is a pytree whose leaves are its tables (the levels): hand it to a jitted
    function as an argument, so that a large table does not become a constant of the program.
    """

    @property
    def spec(self) -> EnvironmentSpec: ...

    @property
    def num_levels(self) -> int:
        """How many levels there are to start from."""
        ...

    def reset(self, key: jax.Array, batch: int) -> tuple[Any, TimeStep]:
        """Starts `batch` boards, each at a level and a time limit drawn from `key`."""
        ...

    def start(self, key: jax.Array, levels: jax.Array) -> tuple[Any, TimeStep]:
        """Starts boards at the given levels `[B] int32`, with the longest time limit."""
        ...

    def step(self, state: Any, action: jax.Array) -> tuple[Any, TimeStep]:
        """Advances every board by one action `[B]`, or resets it if it was at LAST."""
        ...
