"""Gathers the steps of many environments into items, one for each environment and unroll.

Shape letters: `T` steps of an unroll, `N` environments.
"""

import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from agents.base import Core, Unroll
from environments.base import Array, TimeStep
from launch.distributed.base import Item, Stamp


@dataclass(frozen=True)
class _Start:
    """What an item needs to know of the moment before its first step."""

    core: Core  # each [N, ...]
    version: int


class UnrollBuffer:
    """Fills items of `T` steps, the next of which begins `period` steps after the one before.

    Arrays are `[N, T + 1, ...]` or `[N, T, ...]`, new for every set of items.
    """

    def __init__(
        self, spec: Item, worlds: int, period: int, *, actor: int = 0, incarnation: int = 0
    ):
        """Args: `spec` of one item; `period` at most `T`; who the items' stamps say they are of."""
        self._length: int = spec.unroll.action.shape[0]
        self._spec, self._worlds, self._period = spec, worlds, period
        self._actor, self._incarnation = actor, incarnation
        self._number, self._row = 0, 0
        self._starts: deque[_Start] = deque()
        self._columns = self._new_columns()

    def add(
        self,
        now: TimeStep,
        action: Array,
        after: TimeStep,
        extras: dict[str, Array],
        core: Core,
        version: int,
    ) -> Item | None:
        """Adds one step of every environment.

        Args:
          now: what the environments showed.
          action: `[N, ...]` taken.
          after: what they showed then.
          extras: each `[N, ...]`, of the action.
          core: each `[N, ...]`, with which the action was chosen; read where an item begins.
          version: of the policy.

        Returns:
          The items of all environments, `[N, ...]`, if this step fills them, else None.
        """
        if self._row % self._period == 0:
            self._starts.append(_Start(jax.tree.map(np.asarray, core), version))
        self._write(self._row, _shown(now), (action, after.reward, after.discount, extras))
        self._row += 1
        if self._row < self._length:
            return None
        self._write(self._row, _shown(after))
        items = self._items()
        self._begin_next()
        return items

    def _new_columns(self) -> Any:
        unroll, worlds = self._spec.unroll, self._worlds

        def empty(leaf: Any) -> np.ndarray:
            return np.empty((worlds, *leaf.shape), leaf.dtype)

        shown = (unroll.observation, unroll.is_first, unroll.is_last)
        return jax.tree.map(
            empty, (shown, (unroll.action, unroll.reward, unroll.discount, unroll.extras))
        )

    def _write(self, row: int, *parts: Any) -> None:
        for columns, part in zip(self._columns, parts, strict=False):  # the last row has no action
            for column, value in zip(jax.tree.leaves(columns), jax.tree.leaves(part), strict=True):
                column[:, row] = value

    def _items(self) -> Item:
        start = self._starts.popleft()
        (observation, is_first, is_last), (action, reward, discount, extras) = self._columns
        unroll = Unroll(
            observation, is_first, is_last, action, reward, discount, extras, start.core
        )
        return Item(unroll, self._stamp(start))

    def _stamp(self, start: _Start) -> Stamp:
        def all_the(value: float, dtype: Any) -> np.ndarray:
            return np.full(self._worlds, value, dtype)

        return Stamp(
            version=all_the(start.version, np.int64),
            actor=all_the(self._actor, np.int32),
            incarnation=all_the(self._incarnation, np.int32),
            world=np.arange(self._worlds, dtype=np.int32),
            number=all_the(self._number, np.int64),
            seconds=all_the(time.time(), np.float64),
        )

    def _begin_next(self) -> None:
        """What the next items share with these moves to their beginning."""
        before, self._columns = self._columns, self._new_columns()
        kept = self._length - self._period
        for old, new in zip(jax.tree.leaves(before), jax.tree.leaves(self._columns), strict=True):
            new[:, :kept] = old[:, self._period : self._length]
        self._row, self._number = kept, self._number + 1


def _shown(timestep: TimeStep) -> tuple:
    return timestep.observation, timestep.is_first, timestep.is_last
