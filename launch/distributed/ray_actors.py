"""Actors as Ray actors, seen from the driver."""

from collections.abc import Sequence
from typing import Any

from launch.distributed.ray_handles import RayHandle, spawn
from launch.distributed.ray_parts import ActorPart
from launch.distributed.ray_replay import Shard


class Actors:
    """Starts actors; each takes one CPU of the cluster."""

    def __init__(self, arguments: tuple, actors: int, shards: Sequence[Shard], coordinator: Any):
        """Has the processes of all actors get ready; waits for nothing.

        Args:
          arguments: of `ActorPart`.
          actors: how many.
          shards: of the replay; actor `i` writes to shard `i mod S`.
          coordinator: its handle.
        """
        self._arguments, self._shards, self._coordinator = arguments, shards, coordinator
        self._ready = [self._spawn() for _ in range(actors)]
        self._handles: dict[int, RayHandle] = {}

    def _spawn(self) -> Any:
        return spawn(ActorPart, *self._arguments, num_cpus=1, scheduling_strategy="SPREAD")

    def start(self, actor: int, incarnation: int) -> RayHandle:
        """Starts an actor."""
        part = self._ready.pop() if self._ready else self._spawn()
        address = self._shards[actor % len(self._shards)].address
        call = part.act.remote(actor, incarnation, address, self._coordinator)
        self._handles[actor] = RayHandle(part, call)
        return self._handles[actor]

    def kill_writers(self, shard: int) -> None:
        """Ends those that write to a shard, to be started again."""
        for actor, handle in self._handles.items():
            if actor % len(self._shards) == shard:
                handle.kill()
