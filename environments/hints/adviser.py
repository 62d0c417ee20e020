"""Asks an expert off the physics thread: one question at a time, each answered once."""

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any

from environments.players.base import Advice, Player

PATIENCE = 60.0  # seconds that an expert may think about a position
_log = logging.getLogger(__name__)


class Adviser:
    """Advice of a player on one position after the other; used by one thread.

    The player thinks in a thread of its own. Whoever asks waits for no more than `wait` seconds;
    an answer that comes later is there at the next look, unless the position has changed: then the
    new one is asked about, once the player is free.
    """

    def __init__(self, player: Player, wait: float):
        self._player, self._wait = player, wait
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="expert")
        self._pending: Future[Advice] | None = None
        self._asked: Any = None  # the position of the pending question
        self._warned = False

    def advise(self, position: Any) -> Advice | None:
        """What is said of a new position, waited for; None if it is not known in time."""
        return self._look(position, self._wait)

    def look(self, position: Any) -> Advice | None:
        """What is said of the position that was asked about, or None; without waiting."""
        return self._look(position, 0.0)

    def _look(self, position: Any, wait: float) -> Advice | None:
        until = time.monotonic() + wait
        while True:
            if self._pending is None:
                self._asked = position
                self._pending = self._thread.submit(self._think, position)
            try:
                answer = self._pending.result(max(0.0, until - time.monotonic()))
            except NotYet:
                return None
            asked, self._pending, self._asked = self._asked, None, None
            if asked is position:
                return answer

    def _think(self, position: Any) -> Advice:
        try:
            advice = self._player.advise(position, time.monotonic() + PATIENCE)
        except Exception:  # whatever an expert raises: training goes on without it
            _log.exception("the expert broke; there is no hint")
            return Advice("failed")
        if advice.status == "failed" and not self._warned:
            self._warned = True
            _log.warning("the expert failed to advise; there are no hints where it does")
        return advice

    def snapshot(self) -> Any:
        """The player's, once it has answered what it was asked."""
        self._settle()
        return self._player.snapshot()

    def restore(self, snapshot: Any) -> None:
        """Goes back to `snapshot`; what is asked now is forgotten."""
        self._settle()
        self._player.restore(snapshot)

    def _settle(self) -> None:
        if self._pending is not None:
            self._pending.result(2 * PATIENCE)
            self._pending = self._asked = None

    def close(self) -> None:
        """Ends the player, when it has answered."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._player.close()
