"""Opponents inside JAX: how likely they play what, against the players of the same names."""

import jax.numpy as jnp
import numpy as np
import pytest

from environments import load, load_batched
from environments.errors import UserError
from environments.games.board.game import board_game
from environments.games.board.opponents import make_opponent
from environments.games.board.rules import planes
from environments.players.make import make_player
from tests.environments.games.board.play import random_game

TICTACTOE = board_game("tic_tac_toe")
GO = board_game("go(board_size=5,komi=0.5)")


def weights(name: str, state) -> np.ndarray:
    opponent = make_opponent(name, state.game)
    return np.asarray(opponent.weights(jnp.asarray(planes(state)), jnp.asarray(state.legal)))


def test_random_plays_all_legal_actions_alike():
    state = TICTACTOE.state_after((4, 0))
    np.testing.assert_allclose(weights("random", state), state.legal / 7, rtol=1e-6)


def test_random_passes_only_where_nothing_else_is_legal():
    state = GO.state_after((3,))
    np.testing.assert_allclose(weights("random", state)[:-1], state.legal[:-1] / 24, rtol=1e-6)
    assert weights("random", state)[-1] == 0
    small = board_game("go(board_size=2,komi=0.5)")
    states = [state for seed in range(50) for state in random_game(small, seed)]
    stuck = next(state for state in states if state.legal.sum() == 1)
    np.testing.assert_array_equal(weights("random", stuck), [0, 0, 0, 0, 1])


def test_optimal_has_the_moves_of_the_player_of_that_name():
    """In every position of some games, those that it draws from."""
    player = make_player("optimal", TICTACTOE, 0)
    opponent = make_opponent("optimal", TICTACTOE)
    for state in (state for seed in range(6) for state in random_game(TICTACTOE, seed)[:-1]):
        drawn = {player.advise(state).action for _ in range(60)}
        found = np.asarray(opponent.weights(jnp.asarray(planes(state)), jnp.asarray(state.legal)))
        assert set(np.flatnonzero(found)) == drawn
        np.testing.assert_allclose(found[found > 0], 1 / len(drawn), rtol=1e-6)


def test_optimal_by_hand():
    # A corner must be answered in the middle; two in a row must be stopped, or finished.
    np.testing.assert_array_equal(weights("optimal", TICTACTOE.state_after((0,))), np.eye(9)[4])
    blocked = TICTACTOE.state_after((0, 4, 1))
    np.testing.assert_array_equal(weights("optimal", blocked), np.eye(9)[2])
    won = TICTACTOE.state_after((0, 3, 1, 4))
    np.testing.assert_array_equal(weights("optimal", won), np.eye(9)[2])


def test_a_mixture_weighs_both():
    state = TICTACTOE.state_after((0,))
    expected = 0.25 * state.legal / 8 + 0.75 * np.eye(9)[4]
    found = weights("mixture(random, optimal, 0.25)", state)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("go", {"opponent": "mcts(simulations=5)"}, "mcts.* does not play in the batched face of"),
        ("go", {"opponent": "optimal"}, "optimal play of go.* is not known"),
        ("tic_tac_toe", {"opponent": "mixture(random, mcts, 0.5)"}, "does not play in the batch"),
        ("tic_tac_toe", {"opponent": "mixture(random, optimal, 2.0)"}, "must be from 0 to 1"),
    ],
)
def test_who_cannot_play_inside_jax_is_refused(name, options, message):
    with pytest.raises(UserError, match=message):
        load_batched(name, **options)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("tic_tac_toe", {"begins": "nobody"}, "choose from agent, either, opponent"),
        ("tic_tac_toe", {"time_limit": -1}, "time_limit must be at least 0, not -1"),
        ("tic_tac_toe", {"opponent": "optimall"}, "did you mean 'optimal'"),
        ("go", {"size": 4}, "size must be 5 to 19, not 4"),
        ("go", {"komi": 7.0}, "komi must be a half"),
    ],
)
def test_bad_options_are_refused(name, options, message):
    with pytest.raises(UserError, match=message):
        load(name, **options)
