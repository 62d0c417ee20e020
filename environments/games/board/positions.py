"""Positions from what is seen of them: the board planes, without the moves that led there."""

import numpy as np

from environments.games.board import rules
from environments.games.board.game import BoardGame, BoardState

_STONES = (1, 2)  # the players' planes


def state_of(game: BoardGame, planes: np.ndarray, player: int) -> BoardState | None:
    """A position of `game` that shows `planes` `[H, W, 3] bool` with `player` to move, 0 or 1.

    The stones are played in turn, row by row from below; who has none left passes. So it finds a
    position in games that only put stones down, and in Go, whose rule of repetition then knows
    nothing of earlier boards.

    Returns:
      None if the planes show no such position, or one of a game that is over.
    """
    cells = [np.argwhere(planes[..., stone])[::-1].tolist() for stone in _STONES]
    state = game.initial_state()
    while state.player != player or any(cells):
        mine = cells[state.player]
        action = game.action_of_cell(*mine.pop(0)) if mine else game.pass_action
        if action is None or not rules.legal_actions(state)[action]:
            return None
        state = rules.apply(state, action)
    over = rules.outcome(state) is not None
    return None if over or not np.array_equal(rules.planes(state), planes) else state
