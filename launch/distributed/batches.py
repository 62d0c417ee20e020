"""Batches for the learner: read from the replay, none too old, on the devices one ahead.

Shape letters: `B` items of a batch.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import jax
import numpy as np

from agents.base import Unroll
from launch.distributed.base import Item, Stamp, count, rows, stack
from launch.distributed.coordinator import Link
from launch.replay.errors import ItemsLost, ReplayTimeout

_POLL = 0.2  # seconds between looks at whether to end


class Sampler(Protocol):
    """One replay server as the learner sees it."""

    def read(self, timeout: float, most: int) -> Item:
        """The next items, `[N, ...]`, 1 to `most`.

        Raises ReplayTimeout if there is none within `timeout` seconds; ItemsLost, which is one, if
        besides some were lost on their way.
        """
        ...


@dataclass(frozen=True)
class Batch:
    """What the learner makes one version of."""

    unroll: Unroll  # [T, B, ...] as `put` gave it; after them come demonstrations
    stamp: Stamp  # [B] on the host, without those of demonstrations
    dropped: int  # items that were too old, since the batch before


@dataclass(frozen=True)
class Shown:
    """What is learnt from beside the agent's own play."""

    sampler: Sampler
    items: int  # of each batch


class Batches:
    """Reads in a thread of its own; closing it ends the thread."""

    def __init__(
        self,
        samplers: Sequence[Sampler],
        size: int,
        put: Callable[[Unroll], Unroll],
        link: Link,
        *,
        version: int,
        max_lag: int | None,
        learner: int = 0,
        in_order: bool = False,
        shown: Shown | None = None,
    ):
        """Args:
        samplers: of all replay servers, read in turn.
        size: `B`.
        put: takes a batch to where the learner wants it.
        link: is told of every item.
        version: that the first batch will be learnt at; it increases by one with each.
        max_lag: versions by which an item may be older than that; None for any.
        learner: the number of the one that learns from them; see `coordinator.Term`.
        in_order: order each batch by actor, world and number, however its items came.
        shown: demonstrations that come beside the `B` items of each batch.
        """
        self._samplers, self._size, self._put, self._link = samplers, size, put, link
        self._version, self._max_lag, self._in_order = version, max_lag, in_order
        self._learner, self._shown = learner, shown
        self._dropped = 0
        self._ready: queue.Queue[Batch | BaseException] = queue.Queue(maxsize=1)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="batches", daemon=True)
        self._thread.start()

    def next(self, timeout: float) -> Batch | None:
        """The next batch; None if there is none within `timeout` seconds.

        Raises what went wrong in the thread that reads.
        """
        try:
            batch = self._ready.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(batch, BaseException):
            raise batch
        return batch

    def close(self) -> None:
        """Ends the thread; what it had read is lost."""
        self._closing.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        try:
            turns = _in_turn(self._samplers)
            while not self._closing.is_set():
                items = self._items(turns)
                if items is not None:
                    self._offer(self._batch(items))
        except BaseException as error:
            self._offer(error)

    def _items(self, turns: Iterator[tuple[Sampler, float]]) -> list[Item] | None:
        """Enough items for a batch, in parts, none of them too old; None when closing."""
        parts: list[Item] = []
        heard: list[tuple[int, int]] = []  # whose items came, and were not told of yet
        old, missing = 0, self._size
        while missing:
            if self._closing.is_set():
                return None
            sampler, patience = next(turns)
            try:
                items = sampler.read(patience, missing)
            except ReplayTimeout as error:
                old = self._tell(heard, old)
                if isinstance(error, ItemsLost):
                    self._link.replay_lost()
                continue
            stamp = items.stamp
            heard += zip(stamp.actor.tolist(), stamp.incarnation.tolist(), strict=True)
            if self._max_lag is not None:
                young = stamp.version >= self._version - self._max_lag
                if not young.all():
                    old += int((~young).sum())
                    items = rows(items, young)
            parts.append(items)
            missing -= count(items)
        self._tell(heard, old)
        return parts

    def _tell(self, heard: list[tuple[int, int]], old: int) -> int:
        """Tells the coordinator of items that came, of which `old` were too old; returns 0."""
        if heard:
            self._link.receive(heard, self._learner)
            heard.clear()
        if old:
            self._dropped += old
            self._link.drop(old, self._learner)
        return 0

    def _batch(self, parts: list[Item]) -> Batch:
        if self._in_order:
            parts = [_ordered(parts)]
        batch = stack([*parts, *self._demonstrations()])
        dropped, self._dropped = self._dropped, 0
        self._version += 1
        stamp = jax.tree.map(lambda leaf: leaf[: self._size], batch.stamp)
        return Batch(self._put(batch.unroll), stamp, dropped)

    def _demonstrations(self) -> list[Item]:
        """Those of a batch, in parts; none when closing."""
        parts, missing = [], self._shown.items if self._shown else 0
        while missing and self._shown and not self._closing.is_set():
            try:
                parts.append(self._shown.sampler.read(_POLL, missing))
            except ReplayTimeout:
                continue
            missing -= count(parts[-1])
        return parts

    def _offer(self, batch: Batch | BaseException) -> None:
        while not self._closing.is_set():
            try:
                return self._ready.put(batch, timeout=_POLL)
            except queue.Full:
                continue


def _ordered(parts: Sequence[Item]) -> Item:
    """All items, by actor, world and number."""
    items = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    stamp = items.stamp
    return rows(items, np.lexsort((stamp.number, stamp.world, stamp.actor)))


def _in_turn(samplers: Sequence[Sampler]) -> Iterator[tuple[Sampler, float]]:
    """Every sampler in turn, and how long to wait for it: only one of them at a time is waited
    for, and with several never for long."""
    patience = _POLL if len(samplers) == 1 else 0.01
    while True:
        for sampler in samplers:
            yield sampler, patience


@dataclass(frozen=True)
class Staleness:
    """How old the items of a batch are when the learner begins with it."""

    versions: np.ndarray  # [B] int64
    seconds: np.ndarray  # [B] float64

    @classmethod
    def of(cls, stamp: Stamp, version: int) -> "Staleness":
        """Of a batch that is learnt at `version`, now."""
        return cls(version - np.asarray(stamp.version), time.time() - np.asarray(stamp.seconds))
