"""Board games as pure functions of immutable positions. Rules are OpenSpiel's but for one.

Go: whoever repeats an earlier position of the whole board (superko) loses; OpenSpiel calls it a
draw. Komi is a half-integer, so that Go has no draws at all.
"""

from typing import Literal

import numpy as np

from environments.games.board.game import BoardState

PLANES = ("empty", "first player", "second player")  # the order of board planes, in every game
Outcome = Literal["win", "draw", "loss"]


def legal_actions(state: BoardState) -> np.ndarray:
    """Which actions may be played, `[A] bool`, read-only; none after the end."""
    return state.legal


def apply(state: BoardState, action: int) -> BoardState:
    """The position after `action`. Raises ValueError if it is illegal."""
    action = int(action)
    if not 0 <= action < state.game.num_actions or not state.legal[action]:
        raise ValueError(f"action {action} is illegal in {state.game.name} after {state.history}")
    position = state.position.clone()
    position.apply_action(action)
    over = position.is_terminal()
    player = 1 - state.player if over else position.current_player()
    return BoardState(state.game, (*state.history, action), player, position)


def outcome(state: BoardState, player: int = 0) -> Outcome | None:
    """How the game has ended for `player`, 0 or 1; None while it goes on."""
    if not state.position.is_terminal():
        return None
    value = state.position.returns()[player]
    if value == 0 and superko(state):
        value = 1 if player == state.player else -1
    return "win" if value > 0 else "loss" if value < 0 else "draw"


def superko(state: BoardState) -> bool:
    """Whether a game of Go has ended because the last move repeated an earlier position."""
    ended = state.game.parsed.short == "go" and state.position.is_terminal()
    # A score cannot be zero with half-integer komi, so nothing else gives OpenSpiel's draw.
    return ended and state.position.returns()[0] == 0


def planes(state: BoardState) -> np.ndarray:
    """The abstract state, `[H, W, 3] bool` in the order of PLANES, read-only.

    One-hot, but for absent cells, which are in no plane. Row 0 is the top row.
    """
    return state.planes
