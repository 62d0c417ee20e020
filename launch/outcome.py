"""How training ended, under any runner."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """How training ended."""

    frames: int
    seconds: float  # of training, all sessions of the run together
    finished: bool  # False if it was interrupted before its budget was spent
    evaluation: dict[str, float]  # the last success rate on each suite


def program() -> str:
    """How Moravec was called, for whoever is told what to type next."""
    return "uv run moravec" if "UV" in os.environ else "moravec"


class RunFailed(Exception):
    """A run cannot go on; the message, of one or more lines, says why. Exit status 1."""
