"""Positions from planes alone: those of real games, and what is no position."""

import numpy as np
import pytest

from environments.games.board import rules
from environments.games.board.game import board_game
from environments.games.board.positions import state_of


@pytest.mark.parametrize(
    "name", ["tic_tac_toe", "hex(board_size=5)", "go(board_size=5)", "gomoku(size=5)"]
)
@pytest.mark.parametrize("seed", range(8))
def test_positions_of_random_games_are_found_again(name, seed):
    rng, state = np.random.default_rng(seed), board_game(name).initial_state()
    while rules.outcome(state) is None and len(state.history) < 40:
        found = state_of(state.game, rules.planes(state), state.player)
        assert found is not None
        np.testing.assert_array_equal(rules.planes(found), rules.planes(state))
        assert found.player == state.player
        legal = np.flatnonzero(rules.legal_actions(state))
        if len(legal) > 1:
            legal = legal[legal != state.game.pass_action]
        state = rules.apply(state, int(rng.choice(legal)))


def planes(*rows: str) -> np.ndarray:
    board = np.array([list(row) for row in rows])
    return np.stack([board == symbol for symbol in ".xo"], axis=-1)


@pytest.mark.parametrize(
    ("shown", "player"),
    [
        (planes("xx.", "...", "..."), 0),  # too many of the first player's
        (planes("...", ".o.", "..."), 0),
        (planes("...", ".x.", "..."), 0),  # it is the other's turn
        (planes("xxx", "oo.", "..."), 1),  # it is over
        (planes("xoo", "oxx", "xxo"), 1),
        (np.zeros((3, 3, 3), bool), 0),  # cells with nothing in them
        (np.ones((3, 3, 3), bool), 0),  # and with two stones
    ],
)
def test_what_is_no_position_is_none(shown, player):
    assert state_of(board_game("tic_tac_toe"), shown, player) is None


def test_what_is_one_is_played_on():
    state = state_of(board_game("tic_tac_toe"), planes("x..", ".o.", "..x"), 1)
    assert state is not None
    assert rules.legal_actions(state).sum() == 6
