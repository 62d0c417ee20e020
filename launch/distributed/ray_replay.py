"""Replay servers as Ray actors: kept alive by the driver, read and saved by the learner."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from environments.errors import UserError
from launch.distributed.base import Item
from launch.distributed.deaths import LIMIT, Deaths
from launch.distributed.ray_cluster import exceptions, ray
from launch.distributed.ray_handles import RayHandle, answer, spawn
from launch.distributed.ray_parts import ReplayPart
from launch.outcome import RunFailed

_ANSWER_SECONDS = 30.0
_SAVE_SECONDS = 600.0


class Shard:
    """One replay server; if it dies, another takes its place, checkpoint, and port."""

    def __init__(self, arguments: tuple, folder: Path, port: int):
        """Begins to start it.

        Args:
          arguments: of `ReplayPart`.
          folder: where its checkpoints lie.
          port: to listen on; 0 for a free one.
        """
        self._arguments, self._folder, self._port = arguments, folder, port
        self._deaths = Deaths()
        self.address = ""
        self._spawn()

    def _spawn(self) -> None:
        self.part = spawn(
            ReplayPart, *self._arguments, max_concurrency=4, scheduling_strategy="SPREAD"
        )
        self._handle = RayHandle(self.part, self.part.live.remote())

    def start(self) -> None:
        """Waits until it serves. Raises UserError or RunFailed if it cannot."""
        ports = [self._port]
        if self.address and not self._port:  # where everybody knows it, or where there is room
            ports.insert(0, int(self.address.rpartition(":")[2]))
        self.address = answer(self.part.start.remote(self._folder, ports), "a replay server")

    def replace_if_dead(self, version: int) -> bool:
        """Whether it died, and another serves.

        `version`: the newest of the policy. Raises RunFailed after several deaths without a newer.
        """
        death = self._handle.death()
        if death is None:
            return False
        while True:
            if self._deaths.hopeless(version):
                raise RunFailed(f"a replay server died {LIMIT} times without an update: {death}")
            self._handle.kill()
            self._spawn()
            try:
                self.start()
                return True
            except UserError as error:
                raise RunFailed(f"a replay server cannot be started again: {error}") from error
            except RunFailed as error:  # it was put on a node that is lost, too, perhaps
                death = str(error)

    def close(self) -> None:
        """Ends it."""
        with contextlib.suppress(exceptions.RayError):
            ray.get(self.part.close.remote(), timeout=_ANSWER_SECONDS)
        self._handle.kill()


class Store:
    """All replay servers, for the learner; see `training.Store`."""

    def __init__(self, parts: Sequence[Any]):
        """Args:
        parts: the servers' handles, one a shard.
        """
        self._parts = list(parts)

    def replace(self, shard: int, part: Any) -> None:
        """Another server has taken the place of `shard`'s."""
        self._parts[shard] = part

    def items(self) -> int:
        """See `training.Store`."""
        return sum(self._ask("items", _ANSWER_SECONDS))

    def counts(self) -> tuple[int, int]:
        """See `training.Store`."""
        counts = self._ask("counts", _ANSWER_SECONDS)
        return sum(inserted for inserted, _ in counts), sum(sampled for _, sampled in counts)

    def save(self) -> None:
        """See `training.Store`. Raises UserError if it cannot be written."""
        self._ask("save", _SAVE_SECONDS)

    def _ask(self, what: str, timeout: float) -> list[Any]:
        """The answers of those that give one; the driver looks after the others."""
        calls = [getattr(part, what).remote() for part in self._parts]
        found = []
        for call in calls:
            with contextlib.suppress(RunFailed):
                found.append(answer(call, "a replay server", timeout))
        return found


class ShardSampler:
    """Items of one shard, wherever it is; see `batches.Sampler`."""

    def __init__(self, address: str, sampler: Callable[[str], Any]):
        """Args:
        address: of the server.
        sampler: makes what reads from an address.
        """
        self._address, self._make = address, sampler
        self._sampler = sampler(address)
        self._read_from = address

    def move(self, address: str) -> None:
        """The server is at another address now; from any thread."""
        self._address = address

    def read(self, timeout: float, most: int) -> Item:
        """See `batches.Sampler`."""
        if self._address != self._read_from:
            self._read_from = self._address
            self._sampler.close()
            self._sampler = self._make(self._read_from)
        return self._sampler.read(timeout, most)

    def close(self) -> None:
        """Ends reading."""
        self._sampler.close()
