"""When to give up a part of a run that dies again and again."""

LIMIT = 5  # deaths in a row without progress


class Deaths:
    """Counts the deaths of one part since there was progress."""

    def __init__(self) -> None:
        self._count = self._before = 0

    def hopeless(self, progress: int, successor: int | None = None) -> bool:
        """Counts a death; whether it was the fifth without progress.

        Args:
          progress: a number that grows as long as the part does its work.
          successor: the number with which the next one starts, by default the same.
        """
        self._count = 1 if progress > self._before else self._count + 1
        self._before = progress if successor is None else successor
        return self._count >= LIMIT
