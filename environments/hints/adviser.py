"""Asks an expert off the physics thread: one question at a time, each answered once."""

import atexit
import logging
import threading
import time
import weakref
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from environments.players.base import Advice, Player, PlayerWithMemory
from environments.processes import Home

PATIENCE = 60.0  # seconds that an expert may think about a position
PARTING = 1.0  # seconds that a thinking expert is waited for when it is no longer needed
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Question:
    position: Any
    begins: bool  # whether it is the first of an episode
    answer: Future[Advice] = field(default_factory=Future)


@dataclass(frozen=True)
class AdviserSnapshot:
    """An adviser whose player has answered what it was asked."""

    player: Any
    position: Any  # that was asked about last
    answer: Advice | None  # that has not been looked at yet
    outdated: bool  # whether that answer is about an earlier position
    begins: bool


class Adviser:
    """Advice of a player on one position after the other; used by one thread.

    The player thinks in a thread of its own. `advise` and `look` wait for at most `wait` seconds;
    an answer that comes later is there at the next look, unless the position has changed: then the
    new one is asked about, once the player is free. `snapshot` and `restore` wait until the player
    has answered. `close`, and the end of the interpreter, wait for one second.
    """

    def __init__(self, player: Player, wait: float):
        self._home = Home("experts")
        self._player, self._wait = player, wait
        self._thread = _Thinker(player)
        self._thread.start()
        weakref.finalize(self, self._thread.questions.put, None)
        self._pending: _Question | None = None
        self._position: Any = None  # that was asked about last
        self._begins = False  # whether the next question is the first of an episode

    def begin(self) -> None:
        """A new episode begins: the next position is the first that the player sees of it."""
        self._begins = True

    def advise(self, position: Any) -> Advice | None:
        """Advice on a new position, waited for; None if it is not known in time."""
        self._position = position
        return self._look(self._wait)

    def look(self) -> Advice | None:
        """Advice on the position that was asked about last, or None; without waiting."""
        return self._look(0.0)

    def _look(self, wait: float) -> Advice | None:
        self._home.check()
        until = time.monotonic() + wait
        while True:
            if self._pending is None:
                self._pending, self._begins = _Question(self._position, self._begins), False
                self._thread.questions.put(self._pending)
            question = self._pending
            try:
                answer = question.answer.result(max(0.0, until - time.monotonic()))
            except NotYet:
                return None
            self._pending = None
            if question.position is self._position:
                return answer

    def reseed(self, seed: int) -> None:
        """Reseeds the player, once it has answered; that answer is forgotten."""
        self._settled()
        self._pending, self._begins = None, False
        self._player.reseed(seed)

    def snapshot(self) -> AdviserSnapshot:
        """The player's snapshot once it has answered, and its answer, which is not lost here."""
        answer = self._settled()
        outdated = self._pending is not None and self._pending.position is not self._position
        return AdviserSnapshot(
            self._player.snapshot(), self._position, answer, outdated, self._begins
        )

    def restore(self, snapshot: AdviserSnapshot) -> None:
        """Goes back to `snapshot`; what is asked now is forgotten."""
        self._settled()
        self._player.restore(snapshot.player)
        self._position, self._begins = snapshot.position, snapshot.begins
        self._pending = None
        if snapshot.answer is not None:
            self._pending = _Question(None if snapshot.outdated else snapshot.position, False)
            self._pending.answer.set_result(snapshot.answer)

    def _settled(self) -> Advice | None:
        """The answer to the pending question, if there is one, waited for."""
        self._home.check()
        return None if self._pending is None else self._pending.answer.result(2 * PATIENCE)

    def close(self) -> None:
        """Ends the player; if that still thinks after a second, it goes on in its thread alone."""
        self._thread.closed = True
        self._thread.questions.put(None)
        self._player.close()
        self._thread.join(PARTING)


class _Thinker(threading.Thread):
    """The thread in which a player answers questions, until there comes None.

    It is a daemon: an interpreter that ends does not wait for a player that thinks for long.
    """

    def __init__(self, player: Player):
        super().__init__(name="expert", daemon=True)
        self.questions: SimpleQueue[_Question | None] = SimpleQueue()
        self.closed = False  # whether nobody waits for answers any more
        self._player, self._warned = player, False
        _threads.add(self)

    def run(self) -> None:
        """Answers every question."""
        while (question := self.questions.get()) is not None:
            question.answer.set_result(self._advice(question))
            del question  # a thread that waits keeps no position

    def _advice(self, question: _Question) -> Advice:
        try:
            if question.begins and isinstance(self._player, PlayerWithMemory):
                self._player.begin()
            advice = self._player.advise(question.position, time.monotonic() + PATIENCE)
        except Exception:  # whatever an expert raises: training goes on without it
            if not self.closed:
                _log.exception("the expert broke; there is no hint")
            return Advice("failed")
        if advice.status == "failed" and not self._warned and not self.closed:
            self._warned = True
            _log.warning("the expert failed to advise; there are no hints where it does")
        return advice


_threads: weakref.WeakSet[_Thinker] = weakref.WeakSet()


@atexit.register
def _part() -> None:
    """Lets the experts end what takes a moment before the interpreter takes itself apart."""
    deadline = time.monotonic() + PARTING
    threads = list(_threads)
    for thread in threads:
        thread.closed = True
        thread.questions.put(None)
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
