"""Registers `sokoban` with its options; loads the environments only when asked to."""

import operator
import os
from dataclasses import dataclass
from typing import Any

from environments.errors import UserError, unknown
from environments.games.sokoban.generated import EXAMPLE
from environments.registry import EnvironmentOptions, register

OBSERVATION_KINDS = ("planes", "pixels", "sprites")


def level_source(value: Any) -> str:
    """A level source as options hold it; it may be given as a path. Raises UserError."""
    if isinstance(value, str | os.PathLike):
        return str(os.fspath(value))
    raise UserError(f"levels must be a level source, such as a path or {EXAMPLE!r}, not {value!r}")


def _pair(name: str, value: Any) -> tuple[int, int]:
    """Two whole numbers; one stands for both."""
    numbers = [value, value] if isinstance(value, int) else value
    try:
        first, second = (operator.index(number) for number in numbers)
    except (TypeError, ValueError):
        raise UserError(f"{name} must be two whole numbers, not {value!r}") from None
    return first, second


def _names(name: str, value: Any) -> tuple[str, ...]:
    """Names in any sequence; a string is one name."""
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, tuple | list) or not all(isinstance(each, str) for each in names):
        raise UserError(f"{name} must be names, not {value!r}")
    return tuple(names)


def _single(options: "SokobanOptions", seed: int):
    from environments.games.sokoban.environment import Sokoban

    return Sokoban.from_options(options, seed=seed)


def _batched(options: "SokobanOptions"):
    from environments.games.sokoban.batched import BatchedSokoban

    return BatchedSokoban.from_options(options)


@register(
    "sokoban",
    version=1,
    tags=("symbolic", "single_player", "levels"),
    single=_single,
    batched=_batched,
)
@dataclass(frozen=True)
class SokobanOptions(EnvironmentOptions):
    """Sokoban: push every box onto a target; boxes cannot be pulled."""

    # Level source: boxoban:SET/SPLIT, generated:size=..,boxes=..,count=..,seed=.., or a path;
    # from Python also the rows of levels, as text.
    levels: str = "boxoban:unfiltered/train"
    # Board size H W, to which smaller levels are padded with walls; 0 0 for the largest level's.
    board: tuple[int, int] = (0, 0)
    # What an observation holds: planes, pixels (one per cell), sprites (8x8 per cell).
    observations: tuple[str, ...] = ("planes",)
    # Steps after which an episode is cut off, drawn uniformly, both ends included.
    # 115 to 120 decorrelates boards that start together (Bush et al. 2025, appendix).
    time_limit: tuple[int, int] = (115, 120)
    # Whether there is a fifth action that does nothing.
    noop: bool = False

    def __post_init__(self):
        for field, value in (
            ("levels", level_source(self.levels)),
            ("board", _pair("board", self.board)),
            ("observations", _names("observations", self.observations)),
            ("time_limit", _pair("time_limit", self.time_limit)),
        ):
            object.__setattr__(self, field, value)
        low, high = self.time_limit
        if not 1 <= low <= high:
            raise UserError(
                f"time_limit must be two numbers with 1 <= low <= high, not {low} {high}"
            )
        if self.board != (0, 0) and min(self.board) < 3:
            raise UserError(
                f"board must be at least 3 3, or 0 0, not {self.board[0]} {self.board[1]}"
            )
        if not self.observations:
            raise UserError(
                f"observations must name at least one of {', '.join(OBSERVATION_KINDS)}"
            )
        for kind in self.observations:
            if kind not in OBSERVATION_KINDS:
                raise unknown("observation kind", kind, OBSERVATION_KINDS)
