"""Where the cells and stones of an OpenSpiel game lie in its tensor: a table, and a check."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from environments.errors import UserError
from environments.games.board.names import GAMES, GameName

_PLAYOUTS = 20  # random games that an unknown game must pass


@dataclass(frozen=True)
class Layout:
    """How a game's tensor, seen by player 0, shows the board."""

    shape: tuple[int, int]  # H, W
    stones: tuple[tuple[int, ...], tuple[int, ...]]  # planes of the first and the second player
    bottom_first: bool = False  # the tensor's first row is the bottom one
    columns: bool = False  # an action is a column, and its stone falls
    empty: int | None = None  # the plane of empty cells, where some cells are absent


def layout_of(name: GameName, game: Any) -> Layout:
    """The layout of `game`. Raises UserError if its moves are not cells."""
    if name.short not in GAMES:
        return _found(name, game)
    tensor: list[int] = game.observation_tensor_shape()
    match name.short:
        case "tic_tac_toe" | "mnk":
            return Layout((tensor[1], tensor[2]), stones=((2,), (1,)))
        case "go":
            return Layout((tensor[1], tensor[2]), stones=((0,), (1,)), bottom_first=True)
        case "connect_four":
            return Layout(
                (tensor[1], tensor[2]), stones=((0,), (1,)), bottom_first=True, columns=True
            )
        case "othello":
            return Layout((tensor[1], tensor[2]), stones=((1,), (2,)))
        case "hex":  # columns come first in the shape, though rows do in the data
            # Planes tell apart the edges that a stone is joined to; 4 is empty.
            return Layout((tensor[2], tensor[1]), stones=((5, 6, 7, 8), (0, 1, 2, 3)))
        case "gomoku":
            side = math.isqrt(tensor[1])
            return Layout((side, side), stones=((0,), (1,)))
        case "havannah" | "y":
            return Layout((tensor[1], tensor[2]), stones=((0,), (1,)), empty=2)
    raise ValueError(f"{name.short} has no layout")


def tensor_of(position: Any, layout: Layout) -> np.ndarray:
    """The planes of a pyspiel.State as player 0 sees them, `[P, H, W] bool`, the top row first."""
    tensor = np.array(position.observation_tensor(0)) == 1
    tensor = tensor.reshape(-1, *layout.shape)
    return tensor[:, ::-1] if layout.bottom_first else tensor


def _refuse(name: GameName, reason: str) -> UserError:
    return UserError(f"{name} cannot be played on cells: {reason}")


def _found(name: GameName, game: Any) -> Layout:
    """The layout of a game that is not in the table, found and checked by random play."""
    import pyspiel

    kind = game.get_type()
    if game.num_players() != 2:
        raise _refuse(name, "it is not for two players")
    if kind.dynamics != pyspiel.GameType.Dynamics.SEQUENTIAL:
        raise _refuse(name, "its players do not take turns")
    if kind.chance_mode != pyspiel.GameType.ChanceMode.DETERMINISTIC:
        raise _refuse(name, "it has chance in it")
    if kind.information != pyspiel.GameType.Information.PERFECT_INFORMATION:
        raise _refuse(name, "players do not see everything")
    shape = game.observation_tensor_shape() if kind.provides_observation_tensor else []
    if len(shape) != 3 or shape[0] < 3:
        raise _refuse(name, "its observation is no stack of planes")
    cells = shape[1] * shape[2]
    if game.num_distinct_actions() not in (cells, cells + 1):
        raise _refuse(name, f"it has {game.num_distinct_actions()} actions on {cells} cells")
    rng = np.random.default_rng(0)
    found = _planes(game.new_initial_state(), shape)
    if found is None:
        raise _refuse(name, "a move does not put one stone on its own cell")
    for _ in range(_PLAYOUTS):
        if not _playout(game.new_initial_state(), shape, found, rng):
            raise _refuse(name, "a move does not put one stone on its own cell")
    empty, first, second = found
    return Layout((shape[1], shape[2]), stones=((first,), (second,)), empty=empty)


def _tensor(state: Any, shape: list[int]) -> np.ndarray:
    return np.array(state.observation_tensor(0), np.float32).reshape(shape[0], -1)


def _planes(state: Any, shape: list[int]) -> tuple[int, int, int] | None:
    """The planes of empty cells, first and second player's stones, from one move of each."""
    cells = shape[1] * shape[2]
    stones, empty = [], None
    for _ in range(2):
        actions = [a for a in state.legal_actions() if a < cells]
        if not actions:
            return None
        before = _tensor(state, shape)[:, actions[0]]
        state.apply_action(actions[0])
        change = _tensor(state, shape)[:, actions[0]] - before
        gained, lost = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
        if len(gained) != 1 or len(lost) != 1 or empty not in (None, lost[0]):
            return None
        stones.append(int(gained[0]))
        empty = int(lost[0])
    return None if empty is None or stones[0] == stones[1] else (empty, stones[0], stones[1])


def _playout(state: Any, shape: list[int], planes: tuple[int, ...], rng: Any) -> bool:
    """Whether in one random game every move fills just its own cell, with the mover's stone."""
    cells = shape[1] * shape[2]
    present = None
    while not state.is_terminal():
        action, mover = int(rng.choice(state.legal_actions())), state.current_player()
        before = _tensor(state, shape)[list(planes)]
        state.apply_action(action)
        after = _tensor(state, shape)[list(planes)]
        present = before.sum(axis=0) if present is None else present
        if not np.array_equal(after.sum(axis=0), present) or present.max() > 1:
            return False
        filled = np.flatnonzero((before[0] == 1) & (after[0] == 0))
        if action == cells and len(filled) == 0:
            continue
        if filled.tolist() != [action] or after[1 + mover, action] != 1:
            return False
    return True
