"""Many worlds of a symbolic game: its batched face, behind the interface of vector environments."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from environments.base import BatchedEnvironment, EnvironmentSpec, TimeStep
from environments.errors import UserError
from environments.keys import is_key
from environments.precision import in_32_bits
from environments.processes import Home, refuse_copies
from environments.vector.arguments import checked_actions, checked_ids, checked_levels
from environments.vector.seeds import world_seed


class BatchedWorlds:
    """N boards of a batched environment; see `VectorEnvironment`. `send` does the work."""

    def __init__(self, environment: BatchedEnvironment, count: int, *, seed: int = 0):
        """Raises UserError if there is to be no world."""
        if count < 1:
            raise UserError(f"there must be at least one world, not {count}")
        self._home = Home("worlds in JAX")
        self._environment = environment
        self._count = count
        self._spec = environment.spec
        self._key = jax.random.key(world_seed(seed, 0) >> 31)  # JAX takes 32 bits
        face = type(environment)
        self._reset = in_32_bits(jax.jit(face.reset, static_argnums=2))
        self._start = in_32_bits(jax.jit(face.start))
        self._advance = in_32_bits(jax.jit(_advance))
        self._closed = False
        self._state: Any = None
        self._first: TimeStep = self._restart(lambda key: self._reset(environment, key, count))
        self._begun = np.zeros(count, bool)  # a world that has not begun shows `_first` first
        self._ids = np.zeros(0, np.int32)  # worlds whose answers were not received, in order
        self._shown: TimeStep | None = None  # their answers

    @property
    def spec(self) -> EnvironmentSpec:
        """See `VectorEnvironment`."""
        return self._spec

    @property
    def num_environments(self) -> int:
        """See `VectorEnvironment`."""
        return self._count

    @property
    def num_levels(self) -> int:
        """See `VectorEnvironment`."""
        return self._environment.num_levels

    def reset(self) -> TimeStep:
        """See `VectorEnvironment.reset`."""
        return self._restart(lambda key: self._reset(self._environment, key, self._count))

    def start(self, levels: Any) -> TimeStep:
        """See `VectorEnvironment.start`."""
        levels = checked_levels(levels, self._count, self.num_levels)
        return self._restart(lambda key: self._start(self._environment, key, levels))

    def _restart(self, start: Callable[[jax.Array], tuple[Any, TimeStep]]) -> TimeStep:
        self._check_open()
        self._key, key = jax.random.split(self._key)
        self._state, first = start(key)
        self._begun = np.ones(self._count, bool)
        self._ids, self._shown = np.zeros(0, np.int32), None
        return _owned(first)

    def step(self, actions: Any) -> TimeStep:
        """See `VectorEnvironment.step`."""
        return self._answered(actions, np.arange(self._count))

    def send(self, actions: Any, ids: Any = None) -> None:
        """See `VectorEnvironment.send`."""
        worlds = np.array(checked_ids(ids, self._count), np.int32)
        shown = self._answered(actions, worlds)
        if self._shown is not None:
            shown = jax.tree.map(lambda *rows: np.concatenate(rows), self._shown, shown)
        self._ids, self._shown = np.concatenate([self._ids, worlds]), shown

    def recv(self, count: int, timeout: float = 300.0) -> tuple[np.ndarray, TimeStep]:
        """See `VectorEnvironment.recv`. Worlds answer in the order in which they were sent to."""
        known = len(self._ids)
        if not 1 <= count <= known:
            raise ValueError(f"count must be 1 to {known}, the worlds sent to, not {count}")
        ids, shown = self._ids[:count].copy(), self._shown
        first = jax.tree.map(lambda rows: rows[:count].copy(), shown)
        self._ids = self._ids[count:]
        self._shown = None if count == known else jax.tree.map(lambda rows: rows[count:], shown)
        return ids, first

    def _answered(self, actions: Any, worlds: np.ndarray) -> TimeStep:
        """What `worlds` show after `actions [M]`; the others stay as they are."""
        self._check_open()
        busy = np.intersect1d(worlds, self._ids)
        if len(busy):
            raise RuntimeError(
                f"world {', '.join(map(str, busy))}: receive the answer before sending again"
            )
        actions = checked_actions(actions, self._spec.action, worlds.tolist())
        everywhere = np.zeros((self._count, *actions.shape[1:]), actions.dtype)
        everywhere[worlds] = actions
        moving = np.zeros(self._count, bool)
        moving[worlds] = self._begun[worlds]
        self._state, shown = self._advance(
            self._environment, self._state, everywhere, moving, self._first
        )
        self._begun[worlds] = True
        shown = _owned(shown)
        if len(worlds) == self._count and (worlds == np.arange(self._count)).all():
            return shown
        return jax.tree.map(lambda rows: rows[worlds], shown)

    def snapshot(self) -> Any:
        """See `VectorEnvironment.snapshot`."""
        self._check_open()
        if len(self._ids):
            raise RuntimeError(
                f"world {', '.join(map(str, self._ids))}: receive the answer before a snapshot"
            )
        return jax.device_get(
            (
                _without_keys(self._state),
                jax.random.key_data(self._key),
                self._begun.copy(),
                self._first,
            )
        )

    def restore(self, snapshot: Any) -> None:
        """See `VectorEnvironment.restore`."""
        self._check_open()
        state, key, begun, first = snapshot
        if begun.shape != self._begun.shape:
            raise ValueError(f"the snapshot is of {len(begun)} worlds, not of {self._count}")
        self._state = _with_keys(state, self._state)
        self._key = jax.random.wrap_key_data(jnp.asarray(key))
        self._begun, self._first = begun.copy(), first
        self._ids, self._shown = np.zeros(0, np.int32), None

    def close(self) -> None:
        """See `VectorEnvironment.close`."""
        self._closed = True

    def _check_open(self) -> None:
        self._home.check()
        if self._closed:
            raise RuntimeError("the worlds are closed")

    def __reduce__(self) -> Any:
        refuse_copies("worlds in JAX")

    def __enter__(self) -> "BatchedWorlds":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _advance(
    environment: BatchedEnvironment,
    state: Any,
    actions: jax.Array,
    moving: jax.Array,
    first: TimeStep,
) -> tuple[Any, TimeStep]:
    """A step where `moving [N]`; elsewhere the state stays, and `first` is shown."""

    def choose(new: jax.Array, old: jax.Array) -> jax.Array:
        return jnp.where(moving.reshape(-1, *[1] * (new.ndim - 1)), new, old)

    stepped = environment.step(state, actions)
    return jax.tree.map(choose, stepped, (state, first))


def _owned(timestep: TimeStep) -> TimeStep:
    """The time step in NumPy arrays of its own."""
    return jax.tree.map(np.array, jax.device_get(timestep))


def _without_keys(state: Any) -> Any:
    return jax.tree.map(lambda leaf: jax.random.key_data(leaf) if is_key(leaf) else leaf, state)


def _with_keys(state: Any, like: Any) -> Any:
    return jax.tree.map(
        lambda leaf, old: (
            jax.random.wrap_key_data(jnp.asarray(leaf)) if is_key(old) else jnp.asarray(leaf)
        ),
        state,
        like,
    )
