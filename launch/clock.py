"""The seconds of training: what metrics tell and `max_minutes` bounds, under every runner."""

import time


class Clock:
    """Seconds in which a run trained, those of earlier sessions included.

    Acting, learning and writing checkpoints count; starting, compiling and evaluations do not.
    """

    def __init__(self, before: float):
        """Stands still at `before` seconds."""
        self._before = before
        self._began: float | None = None

    @property
    def running(self) -> bool:
        """Whether it goes."""
        return self._began is not None

    @property
    def seconds(self) -> float:
        """What it shows."""
        return self._before + (0.0 if self._began is None else time.monotonic() - self._began)

    def start(self) -> None:
        """Lets it go on."""
        self.stop()
        self._began = time.monotonic()

    def stop(self) -> None:
        """Holds it."""
        self._before, self._began = self.seconds, None
