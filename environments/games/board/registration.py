"""Registers `tic_tac_toe` and `go` with their options; loads the environments when asked to."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from environments.errors import UserError
from environments.option_types import check_types
from environments.registry import EnvironmentOptions, register


@dataclass(frozen=True)
class BoardGameOptions(EnvironmentOptions, ABC):
    """What the symbolic board games share."""

    # Who answers, a player of the game: random, optimal, mcts(simulations=100), gnugo(level=1),
    # mixture(random, optimal, 0.25), ... The batched face has random, optimal and mixtures of them.
    opponent: str = "random"
    # Who moves first: agent, opponent, or either, drawn for each episode.
    begins: Literal["agent", "opponent", "either"] = "either"
    # Moves of the agent after which an episode is cut off; 0 for none.
    time_limit: int = 0

    @property
    @abstractmethod
    def openspiel(self) -> str:
        """The game's name for `board_game`."""

    def __post_init__(self):
        super().__post_init__()
        from environments.games.board.game import board_game
        from environments.players.make import parse_player

        parse_player(self.opponent)
        board_game(self.openspiel)
        if self.begins not in ("agent", "opponent", "either"):
            raise UserError(f"begins must be agent, opponent or either, not {self.begins}")
        if self.time_limit < 0:
            raise UserError(f"time_limit must be at least 0, not {self.time_limit}")


def _single(options: "BoardGameOptions", seed: int):
    from environments.games.board.environment import BoardEnvironment

    return BoardEnvironment.from_options(options, seed=seed)


def _batched(options: "BoardGameOptions"):
    from environments.games.board.batched import BatchedBoard

    return BatchedBoard.from_options(options)


@register(
    "tic_tac_toe",
    version=1,
    tags=("symbolic", "two_player"),
    single=_single,
    batched=_batched,
)
@dataclass(frozen=True)
class TicTacToeOptions(BoardGameOptions):
    """Tic-tac-toe: three in a row wins."""

    opponent: str = "optimal"

    @property
    def openspiel(self) -> str:
        """The game's name for `board_game`."""
        return "tic_tac_toe"


@register("go", version=1, tags=("symbolic", "two_player"), single=_single, batched=_batched)
@dataclass(frozen=True)
class GoOptions(BoardGameOptions):
    """Go: whoever surrounds more wins; Chinese scoring, and a repeated position loses."""

    # Points a side, 5 to 19.
    size: int = 7
    # Points that white gets for playing second, a half such as 7.5.
    komi: float = 7.5

    def __post_init__(self):
        check_types(self)
        if not 5 <= self.size <= 19:
            raise UserError(f"size must be 5 to 19, not {self.size}")
        super().__post_init__()

    @property
    def openspiel(self) -> str:
        """The game's name for `board_game`."""
        return f"go(board_size={self.size},komi={self.komi})"
