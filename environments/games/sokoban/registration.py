"""Registers `sokoban` with its options; loads the environments only when asked to."""

from dataclasses import dataclass

from environments.errors import UserError, unknown
from environments.registry import EnvironmentOptions, register

OBSERVATION_KINDS = ("planes", "pixels", "sprites")


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
        super().__post_init__()
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
