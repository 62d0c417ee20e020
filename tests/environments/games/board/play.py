"""Random play on board games, for tests."""

import numpy as np

from environments.games.board.game import BoardGame, BoardState
from environments.games.board.rules import apply, legal_actions

GAMES = (
    "tic_tac_toe",
    "mnk(m=4,n=3,k=3)",
    "hex(board_size=4)",
    "hex(num_rows=3,num_cols=5)",
    "go(board_size=3,komi=0.5)",
    "go(board_size=7,komi=7.5)",
    "othello",
    "gomoku(size=5,connect=4)",
    "gomoku(size=4,connect=3,anti=true)",
    "havannah(board_size=3)",
    "y(board_size=5)",
    "connect_four",
    "connect_four(rows=4,columns=5,x_in_row=3)",
    "misere(game=mnk(m=3,n=4,k=3))",
)


def random_game(game: BoardGame, seed: int, length: int | None = None) -> list[BoardState]:
    """All positions of a random game, cut off after `length` moves."""
    rng = np.random.default_rng(seed)
    states = [game.initial_state()]
    while legal_actions(states[-1]).any() and (length is None or len(states) <= length):
        states.append(apply(states[-1], rng.choice(np.flatnonzero(legal_actions(states[-1])))))
    return states
