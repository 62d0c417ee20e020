"""Actors as threads of this process: nothing is sent anywhere, and all ends with the process."""

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class ThreadHandle:
    """A part in a thread; see `supervisor.Handle`. A thread cannot be killed."""

    def __init__(self, run: Callable[[], None], name: str):
        """Starts `run` in a thread called `name`."""
        self._run = run
        self._death: str | None = None
        self._thread = threading.Thread(target=self._guarded, name=name, daemon=True)
        self._thread.start()

    def _guarded(self) -> None:
        try:
            self._run()
        except BaseException as error:
            _log.warning("%s died", self._thread.name, exc_info=True)
            self._death = f"{type(error).__name__}: {error}"

    def death(self) -> str | None:
        """See `Handle`."""
        return None if self._thread.is_alive() else self._death

    def ended(self) -> bool:
        """See `Handle`."""
        return not self._thread.is_alive()

    def kill(self) -> None:
        """Nothing: it has ended, or does so with the process."""
