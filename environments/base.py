"""Types that cross module boundaries: the time step, the specification, the three faces.

The single face and the specification are in `single.py`, which loads no JAX.

Shape letters: `B` boards at once, `N` worlds at once, `M` of them, `H, W` board, `C` channels.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np

from environments.single import Environment, EnvironmentSpec, Progress

__all__ = [
    "BatchedEnvironment",
    "Environment",
    "EnvironmentSpec",
    "Observation",
    "Progress",
    "TimeStep",
    "VectorEnvironment",
]

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


@runtime_checkable
class BatchedEnvironment(Protocol):
    """A game as pure JAX functions: no host calls, every array of a state `[B, ...]`.

    An implementation is a pytree whose leaves are its tables (the levels): hand it to a jitted
    function as an argument, so that a large table does not become a constant of the program.
    """

    @property
    def spec(self) -> EnvironmentSpec:
        """Observations without `B`, the action, and how episodes end."""
        ...

    @property
    def num_levels(self) -> int:
        """How many levels there are to start from; 1 if `start` draws all that is random."""
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


@runtime_checkable
class VectorEnvironment(Protocol):
    """N worlds of one environment in this process, NumPy in and out; a context manager.

    Every array of a time step is new and belongs to the caller. What is not yet begun resets at
    its first action, as after a LAST. To be used by one thread.
    """

    @property
    def spec(self) -> EnvironmentSpec:
        """Observations of one world, its action, and how episodes end."""
        ...

    @property
    def num_environments(self) -> int:
        """N."""
        ...

    @property
    def num_levels(self) -> int:
        """How many levels there are to start from."""
        ...

    def reset(self) -> TimeStep:
        """Begins an episode in every world, on levels drawn at random; all FIRST.

        Drops answers that were not received, once they have come.
        """
        ...

    def start(self, levels: Any) -> TimeStep:
        """Begins an episode in every world, on the given levels `[N]`; drops answers likewise.

        Raises IndexError for a level that there is not.
        """
        ...

    def step(self, actions: Any) -> TimeStep:
        """One step of every world under `actions [N, ...]`; waits for all.

        Raises ValueError for actions out of the spec, before any world steps, and RuntimeError if
        an answer was not received. Raises WorldError, which names the world, for what goes wrong
        inside one: its next action starts a new episode; what the others answered, `recv` has.
        """
        ...

    def send(self, actions: Any, ids: Any = None) -> None:
        """Has the worlds `ids [M]`, by default all, step under `actions [M, ...]`; does not wait.

        Raises ValueError and RuntimeError as `step` does.
        """
        ...

    def recv(self, count: int, timeout: float = 300.0) -> tuple[np.ndarray, TimeStep]:
        """The worlds, `[count] int32`, that answered first, and their time steps `[count, ...]`.

        Raises TimeoutError that says which worlds did not answer within `timeout` seconds; what
        the others answered is kept for the next call. Raises WorldError as `step` does, and
        ValueError if fewer were sent to.
        """
        ...

    def snapshot(self) -> Any:
        """This moment, picklable, for `restore` here or in worlds of the same options.

        Raises RuntimeError if an answer was not received.
        """
        ...

    def restore(self, snapshot: Any) -> None:
        """Goes back to `snapshot`: all that follows is bit for bit what followed then."""
        ...

    def close(self) -> None:
        """Ends all threads and processes; nothing happens the second time."""
        ...

    def __enter__(self) -> "VectorEnvironment": ...

    def __exit__(self, *_: object) -> None: ...
