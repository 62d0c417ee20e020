"""Start positions of small board games in which one move wins."""

from functools import cache

import numpy as np

from environments.errors import UserError
from environments.games.board import rules
from environments.games.board.game import BoardGame, BoardState

MAX_CELLS = 9  # every position of the game is looked at

History = tuple[int, ...]  # the moves that lead to a position


@cache
def one_move_wins(game: BoardGame, player: int = 0) -> tuple[History, ...]:
    """The positions in which `player` is to move and exactly one of several moves wins, each once.

    By a history that leads there, in the order of a search from the start.

    Raises UserError if the game is too large to look at them all, or has no such position.
    """
    if game.shape[0] * game.shape[1] > MAX_CELLS:
        raise UserError(
            f"task=win1 looks at every position, of games of up to {MAX_CELLS} cells: {game.name} "
            f"has {game.shape[0] * game.shape[1]}"
        )
    found: list[History] = []
    seen: set[tuple[int, bytes]] = set()
    waiting = [game.initial_state()]
    while waiting:
        state = waiting.pop()
        key = state.player, state.planes.tobytes()
        if key in seen or not state.legal.any():
            continue
        seen.add(key)
        choice = state.legal.sum() > 1
        if state.player == player and choice and len(winning_moves(state)) == 1:
            found.append(state.history)
        waiting += [rules.apply(state, int(a)) for a in np.flatnonzero(state.legal)[::-1]]
    if not found:
        raise UserError(f"task=win1: no position of {game.name} is won by just one move")
    return tuple(found)


def winning_moves(state: BoardState) -> list[int]:
    """The actions that win at once for whoever is to move."""
    actions = np.flatnonzero(state.legal).tolist()
    return [a for a in actions if rules.outcome(rules.apply(state, a), state.player) == "win"]
