"""Where the threads of worlds put their answers, and one thread waits for several at once."""

import contextlib
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

_NOBODY = sys.maxsize


@dataclass(frozen=True)
class Answer:
    """What became of a command given to a world, or of building it."""

    world: int
    value: Any = None
    error: BaseException | None = None


class Inbox:
    """Answers in the order in which they came. Whoever waits is woken once, not by each.

    No lock is held while anything happens, so that an interrupt can leave none locked.
    """

    def __init__(self):
        self._answers: deque[Answer] = deque()
        self._wanted = _NOBODY  # how many answers somebody waits for
        self._wake = threading.Lock()  # locked but for a moment, to wake who waits
        self._wake.acquire()

    def put(self, answer: Answer) -> None:
        """Adds an answer; any thread may."""
        self._answers.append(answer)
        if len(self._answers) >= self._wanted:
            with contextlib.suppress(RuntimeError):  # it is released already
                self._wake.release()

    def wait(self, count: int, timeout: float) -> bool:
        """Whether there are `count` answers within `timeout` seconds; for one thread at a time."""
        deadline = time.monotonic() + timeout
        self._wanted = count  # first this, then the look: `put` does the two the other way round
        try:
            while len(self._answers) < count:
                if not self._wake.acquire(timeout=max(0.0, deadline - time.monotonic())):
                    return len(self._answers) >= count
            return True
        finally:
            self._wanted = _NOBODY

    def take(self) -> Answer | None:
        """The first answer; None if there is none."""
        return self._answers.popleft() if self._answers else None
