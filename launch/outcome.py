"""How training ended, under any runner."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """How training ended."""

    frames: int
    seconds: float  # of training, all sessions of the run together
    finished: bool  # False if it was interrupted before its budget was spent
    evaluation: dict[str, float]  # the last success rate on each suite


class RunFailed(Exception):
    """A run cannot go on; the message, of one or more lines, says why. Exit status 1."""
