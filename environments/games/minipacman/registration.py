"""Registers `minipacman` with its options; loads the environments only when asked to."""

from dataclasses import dataclass

from environments.errors import UserError, unknown
from environments.games.minipacman.modes import MAX_LEVEL, MODES
from environments.registry import EnvironmentOptions, register

OBSERVATION_KINDS = ("planes", "pixels", "sprites")


def _single(options: "MiniPacmanOptions", seed: int):
    from environments.games.minipacman.environment import MiniPacman

    return MiniPacman(options, seed=seed)


def _batched(options: "MiniPacmanOptions"):
    from environments.games.minipacman.batched import BatchedMiniPacman

    return BatchedMiniPacman.from_options(options)


@register(
    "minipacman",
    title="MiniPacman",
    version=1,
    tags=("symbolic", "single_player", "scored"),
    single=_single,
    batched=_batched,
)
@dataclass(frozen=True)
class MiniPacmanOptions(EnvironmentOptions):
    """MiniPacman: food, power pills and ghosts in a maze, with five ways to score."""

    # What is rewarded: regular, avoid, hunt, ambush or rush.
    mode: str = "regular"
    # What an observation holds: planes, pixels (one per cell), sprites (8x8 per cell).
    observations: tuple[str, ...] = ("planes",)
    # Steps after which an episode is cut off, drawn uniformly, both ends included.
    time_limit: tuple[int, int] = (3000, 3000)
    # Level, from 1 to 10, at which an episode begins, drawn uniformly, both ends included.
    start_level: tuple[int, int] = (1, 1)

    def __post_init__(self):
        super().__post_init__()
        if self.mode not in MODES:
            raise unknown("mode of minipacman", self.mode, MODES)
        low, high = self.time_limit
        if not 1 <= low <= high:
            raise UserError(
                f"time_limit must be two numbers with 1 <= low <= high, not {low} {high}"
            )
        low, high = self.start_level
        if not 1 <= low <= high <= MAX_LEVEL:
            raise UserError(
                "start_level must be two numbers with "
                f"1 <= low <= high <= {MAX_LEVEL}, not {low} {high}"
            )
        if not self.observations:
            raise UserError(
                f"observations must name at least one of {', '.join(OBSERVATION_KINDS)}"
            )
        for kind in self.observations:
            if kind not in OBSERVATION_KINDS:
                raise unknown("observation kind", kind, OBSERVATION_KINDS)
