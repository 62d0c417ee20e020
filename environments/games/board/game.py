"""Board games by name, and their positions; `rules.py` has the functions that play them."""

from dataclasses import dataclass, field
from functools import cache, cached_property, reduce
from typing import Any

import numpy as np

from environments.errors import UserError
from environments.games.board import names
from environments.games.board.layouts import Layout, layout_of, tensor_of


@dataclass(frozen=True)
class BoardGame:
    """A two-player game of OpenSpiel whose moves put stones on cells. Equal if the name is.

    Cells are (row, column); row 0 is the top one, as the player at the bottom sees the board.
    """

    name: str  # canonical, for example "go(board_size=7,komi=7.5)"
    shape: tuple[int, int] = field(compare=False)  # H, W
    num_actions: int = field(compare=False)  # A
    pass_action: int | None = field(compare=False)
    absent: np.ndarray = field(compare=False, repr=False)  # [H, W] bool, read-only: no cells
    parsed: names.GameName = field(compare=False, repr=False)
    layout: Layout = field(compare=False, repr=False)
    openspiel: Any = field(compare=False, repr=False)  # the pyspiel.Game

    def __reduce__(self) -> tuple[Any, ...]:
        return board_game, (self.name,)

    def action_of_cell(self, row: int, column: int) -> int | None:
        """The action that pressing a cell stands for: in connect_four, its column's.

        None for an absent cell; legal or not is another question. Raises IndexError off the board.
        """
        height, width = self.shape
        if not (0 <= row < height and 0 <= column < width):
            raise IndexError(f"cell ({row}, {column}) is not on a board of {height} x {width}")
        if self.absent[row, column]:
            return None
        if self.layout.columns:
            return column
        return (height - 1 - row if self.layout.bottom_first else row) * width + column

    def parameter(self, key: str) -> Any:
        """A parameter of the game, given or by default."""
        return self.openspiel.get_parameters().get(key)

    def initial_state(self) -> "BoardState":
        """The position in which the game starts."""
        position = self.openspiel.new_initial_state()
        return BoardState(self, (), position.current_player(), position)

    def state_after(self, history: tuple[int, ...]) -> "BoardState":
        """The position after the given actions. Raises ValueError if one of them is illegal."""
        from environments.games.board.rules import apply

        state = self.initial_state()
        for action in history:
            state = apply(state, action)
        return state


@dataclass(frozen=True)
class BoardState:
    """A position, never changed: `rules.apply` makes a new one. Equal if the history is."""

    game: BoardGame
    history: tuple[int, ...]
    player: int = field(compare=False)  # 0 or 1, to move; after the end, whoever would be
    position: Any = field(compare=False, repr=False)  # the pyspiel.State; only to be read

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.game, self.history)

    @cached_property
    def legal(self) -> np.ndarray:
        """`[A] bool`, read-only: see `rules.legal_actions`."""
        legal = np.zeros(self.game.num_actions, bool)
        if not self.position.is_terminal():
            legal[self.position.legal_actions()] = True
        legal.flags.writeable = False
        return legal

    @cached_property
    def planes(self) -> np.ndarray:
        """`[H, W, 3] bool`, read-only: see `rules.planes`."""
        layout = self.game.layout
        tensor = tensor_of(self.position, layout)
        planes = np.empty((*layout.shape, 3), bool)
        for index, stones in enumerate(layout.stones, start=1):
            planes[..., index] = reduce(np.logical_or, [tensor[plane] for plane in stones])
        planes[..., 0] = ~(planes[..., 1] | planes[..., 2] | self.game.absent)
        planes.flags.writeable = False
        return planes


def _restored(game: BoardGame, history: tuple[int, ...]) -> BoardState:
    return game.state_after(history)


def board_game(name: str) -> BoardGame:
    """The game called `name`, for example "tic_tac_toe" or "hex(board_size=5)".

    Raises UserError, one line, if OpenSpiel has no such game, if a parameter is wrong, or if its
    moves are not cells.
    """
    return _loaded(names.parse(name))


@cache
def _loaded(name: names.GameName) -> BoardGame:
    import pyspiel

    try:
        game = pyspiel.load_game(name.openspiel)
        position = game.new_initial_state()
    except Exception as error:
        raise UserError(f"OpenSpiel refuses {name}: {str(error).splitlines()[0]}") from error
    layout = layout_of(name, game)
    cells = layout.shape[0] * layout.shape[1]
    absent = np.zeros(layout.shape, bool)
    if layout.empty is not None:
        shown = [layout.empty, *layout.stones[0], *layout.stones[1]]
        absent = ~tensor_of(position, layout)[shown].any(axis=0)
    absent.flags.writeable = False
    actions = game.num_distinct_actions()
    pass_action = cells if actions == cells + 1 else None
    return BoardGame(str(name), layout.shape, actions, pass_action, absent, name, layout, game)
