"""The newest weights, fetched by a thread of their own, so that acting never waits for them."""

import threading
from typing import Any

import jax

from launch.distributed.base import Weights
from launch.distributed.coordinator import Link

_POLL = 1.0  # seconds that one question to the coordinator may last


class Subscription:
    """Follows the coordinator's weights; closing it ends the thread."""

    def __init__(self, link: Link, device: Any):
        """Args: `link` to the coordinator, and the JAX `device` where weights are put."""
        self._link, self._device = link, device
        self._changed = threading.Condition()
        self._newest: Weights | None = None
        self._error: BaseException | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="weights", daemon=True)
        self._thread.start()

    def newest(self) -> Weights | None:
        """The newest that are here; None before the first.

        Raises what went wrong with fetching them.
        """
        with self._changed:
            if self._error is not None:
                raise self._error
            return self._newest

    def wait(self, newer_than: int, timeout: float) -> None:
        """Returns once the version is above `newer_than`, or after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._error or (self._newest and self._newest.version > newer_than),
                timeout,
            )

    def close(self) -> None:
        """Ends the thread within a second or so."""
        self._closing = True
        self._thread.join(2 * _POLL)

    def _run(self) -> None:
        version = -1
        try:
            while not self._closing and not self._link.stopping():
                found = self._link.weights(version, _POLL)
                if found is None:
                    continue
                version = found.version
                put = Weights(version, jax.device_put(found.params, self._device))
                with self._changed:
                    self._newest = put
                    self._changed.notify_all()
        except BaseException as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()
