"""The coordinator as parts on other nodes call it."""

import threading
import time
import uuid
from functools import partial
from typing import Any

from launch.distributed.base import Weights
from launch.distributed.coordinator import Coordinator
from launch.distributed.ray_cluster import exceptions, ray
from launch.outcome import RunFailed

_PATIENCE = 30.0  # s in which a node that does not answer may come back
_PAUSE = 0.5  # s
_LOST = (exceptions.RayActorError, exceptions.GetTimeoutError)
_UNAWAITED = ("doing",)  # nobody needs to know that it has arrived
# What twice is not the same as once.
_COUNTED = (
    *("begin", "drop", "give_up", "learner_lost", "publish", "receive", "replay_lost", "report"),
    *("start", "take_report"),
)


class _Calls(threading.local):
    """Of each thread, which is the caller: one call after another."""

    def __init__(self):
        self.caller = uuid.uuid4().hex
        self.number = 0


class RayLink:
    """Has the methods of a `Coordinator`, which is a Ray actor.

    Weights go through the object store: put there once, read from there without a copy, so that
    the arrays cannot be written to. The coordinator holds a reference to the newest; Ray keeps what
    somebody still reads.

    A call that is not answered is made again. The coordinator may have heard the first, so those
    that count something, or hand it out, go through `Coordinator.once`.

    A method raises RunFailed if the coordinator is dead, or has not answered for 30 s.
    """

    def __init__(self, coordinator: Any):
        """Args:
        coordinator: the handle of the Ray actor.
        """
        self._coordinator = coordinator
        self._calls = _Calls()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(Coordinator, name):
            raise AttributeError(name)
        return partial(self._send if name in _UNAWAITED else self._call, name)

    def publish(self, weights: Weights, finished: int = 0, learner: int = 0) -> bool:
        """See `Coordinator`."""
        reference = ray.put(weights.params)
        return self._call("publish", Weights(weights.version, [reference]), finished, learner)

    def weights(self, newer_than: int, timeout: float) -> Weights | None:
        """See `Coordinator`; None also if they were lost with the learner that had made them."""
        found = self._call("weights", newer_than, timeout)
        if found is None:
            return None
        try:
            return Weights(found.version, ray.get(found.params[0], timeout=_PATIENCE))
        except (exceptions.ObjectLostError, exceptions.GetTimeoutError):
            time.sleep(_PAUSE)  # there will be others
            return None

    def _call(self, name: str, *arguments: Any) -> Any:
        called = getattr(self._coordinator, name).remote
        if name in _COUNTED:
            self._calls.number += 1
            called = partial(
                self._coordinator.once.remote, self._calls.caller, self._calls.number, name
            )
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return ray.get(called(*arguments), timeout=_PATIENCE)
            except _LOST as error:
                dead = isinstance(error, exceptions.ActorDiedError)  # nobody starts it again
                if dead or time.monotonic() > deadline:
                    name = type(error).__name__
                    raise RunFailed(
                        f"the coordinator does not answer ({name}): moravec train --resume goes on"
                    ) from error
                time.sleep(_PAUSE)

    def _send(self, name: str, *arguments: Any) -> None:
        getattr(self._coordinator, name).remote(*arguments)
