"""Registers `mujoxo`, `mujogo` and `touch_board` with their options; loads MuJoCo when asked to."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from environments.embedded.options import check_shown
from environments.errors import UserError, unknown
from environments.hints.options import HintOptions
from environments.option_types import check_types
from environments.registry import EnvironmentOptions, register

if TYPE_CHECKING:
    from environments.embedded.boards.spec import BoardSpec
    from environments.games.board.game import BoardGame

CONTROL_STEP = 0.05  # seconds
SECONDS_PER_CELL = 6.0  # of the default time limits
TASKS = ("game", "win1")
OBSERVATION_KINDS = ("proprioception", "markers", "planes", "legal_actions")


@dataclass(frozen=True)
class BoardOptions(EnvironmentOptions, ABC):
    """What all board games share."""

    # Who answers, a player of the game: optimal, mixture(random, optimal, 0.25), random,
    # mcts(simulations=100), gnugo(level=1), ...
    opponent: str = "random"
    # Seconds after which an episode is cut off; 0 for 6 seconds for each cell of the board.
    time_limit: float = 0.0
    # What an observation holds beside cameras: proprioception (jaco_arm/...), markers
    # (markers/position), planes, legal_actions. The last three tell where the stones are.
    observations: tuple[str, ...] = OBSERVATION_KINDS
    # Height and width in pixels of the picture from the front, key front_camera (84 84 in the
    # public environments); 0 0 leaves it out.
    front_camera: tuple[int, int] = (0, 0)
    # Likewise from higher up, key front_camera_2: a 7x7 board fits into this one.
    front_camera_2: tuple[int, int] = (0, 0)
    # Whether the arm jumps to a new start pose after a move, or goes on from where it is.
    reset_arm_after_move: bool = True
    # At most so many random moves, of both players in turn, before a game begins; how many is drawn
    # for every game.
    random_plies: int = 0
    # Whether the board is given under the public name board_state too; Go's moves, too, under
    # move_history.
    public_names: bool = False
    # game: a whole one. win1: one move, from positions in which just one wins; small games only.
    task: Literal["game", "win1"] = "game"
    # A run of perception, whose reading of the board, from its camera, takes the place of the truth
    # for experts and in planes. Empty: the truth.
    perception: str = ""
    # An expert's advice.
    hints: HintOptions = field(default_factory=HintOptions)

    @property
    @abstractmethod
    def openspiel(self) -> str:
        """The game's name for `board_game`."""

    def board(self, game: "BoardGame") -> "BoardSpec":
        """The board on which `game` is played; another layout is another function here."""
        from environments.embedded.boards.spec import board_for

        return board_for(game)

    def __post_init__(self):
        super().__post_init__()
        from environments.games.board.game import board_game
        from environments.players.make import parse_player

        parse_player(self.opponent)
        self.board(board_game(self.openspiel))
        if self.task not in TASKS:
            raise unknown("task", self.task, TASKS)
        if not (self.time_limit == 0 or CONTROL_STEP <= self.time_limit < float("inf")):
            raise UserError(
                f"time_limit must be at least {CONTROL_STEP} and finite, or 0, "
                f"not {self.time_limit}"
            )
        if self.task == "win1" and self.random_plies:
            raise UserError("task=win1 has start positions of its own: leave random_plies at 0")
        if self.random_plies < 0:
            raise UserError(f"random_plies must be at least 0, not {self.random_plies}")
        check_shown(self, OBSERVATION_KINDS, ("front_camera", "front_camera_2"))


def _single(options: "BoardOptions", seed: int):
    from environments.embedded.boards.make import make

    return make(options, seed)


@register("mujoxo", title="MuJoXO", version=0, tags=("embedded", "two_player"), single=_single)
@dataclass(frozen=True)
class MujoxoOptions(BoardOptions):
    """Tic-tac-toe in MuJoCo: a robot arm presses the cells of a board that senses touch."""

    # As in the public environments: optimal is their hard, mixture(random, optimal, 0.25) their
    # medium and random their easy opponent.
    opponent: str = "optimal"

    @property
    def openspiel(self) -> str:
        """The game's name for `board_game`."""
        return "tic_tac_toe"


@register("mujogo", title="MuJoGo", version=0, tags=("embedded", "two_player"), single=_single)
@dataclass(frozen=True)
class MujogoOptions(BoardOptions):
    """Go in MuJoCo: a robot arm presses the points of a board that senses touch."""

    # In this process; gnugo(level=1) is a program. The public environment's opponent is GNU Go with
    # a fifth of random moves: mixture(random, gnugo(level=10), 0.2).
    opponent: str = "mcts(simulations=100)"
    # Points a side, 5 to 9.
    size: int = 7
    # Points that white gets for playing second, a half such as 7.5.
    komi: float = 7.5

    def __post_init__(self):
        check_types(self)
        if not 5 <= self.size <= 9:
            raise UserError(f"size must be 5 to 9, not {self.size}")
        super().__post_init__()

    @property
    def openspiel(self) -> str:
        """The game's name for `board_game`."""
        return f"go(board_size={self.size},komi={self.komi})"


@register(
    "touch_board", title="TouchBoard", version=0, tags=("embedded", "two_player"), single=_single
)
@dataclass(frozen=True)
class TouchBoardOptions(BoardOptions):
    """A board game of OpenSpiel in MuJoCo: a robot arm presses cells that sense touch."""

    # A game of OpenSpiel whose moves are cells: connect_four, hex(board_size=5), othello, ...
    game: str = "connect_four"

    @property
    def openspiel(self) -> str:
        """The game's name for `board_game`."""
        return self.game
