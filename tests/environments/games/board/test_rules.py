"""Rules of all board games, as properties of random play."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.games.board.game import BoardState, board_game
from environments.games.board.rules import apply, legal_actions, outcome, planes
from tests.environments.games.board.play import GAMES, random_game

games = st.sampled_from(GAMES).map(board_game)
seeds = st.integers(0, 2**32 - 1)

# How OpenSpiel prints the first player's stones, the second's, and an empty cell.
PRINTED = {
    "tic_tac_toe": "xo.",
    "mnk(m=4,n=3,k=3)": "xo.",
    "hex(board_size=4)": "xo.",
    "hex(num_rows=3,num_cols=5)": "xo.",
    "go(board_size=7,komi=7.5)": "XO+",
    "othello": "xo-",
    "gomoku(size=5,connect=4)": "bw.",
    "connect_four(rows=4,columns=5,x_in_row=3)": "xo.",
}


def cell_of(state: BoardState, action: int) -> tuple[int, int] | None:
    """The (row, column) where `action`, legal in `state`, puts its stone; None for a pass."""
    height, width = state.game.shape
    if action == state.game.pass_action:
        return None
    if state.game.layout.columns:
        return int(state.planes[:, action, 0].sum()) - 1, action
    row, column = divmod(int(action), width)
    return (height - 1 - row if state.game.layout.bottom_first else row), column


def printed(state: BoardState, symbols: str) -> np.ndarray:
    """The planes as read from OpenSpiel's drawing, the top line first."""
    lines = [[c for c in line if c in symbols] for line in str(state.position).splitlines()]
    board = np.array([line for line in lines if len(line) == state.game.shape[1]])
    return np.stack([board == symbols[2], board == symbols[0], board == symbols[1]], axis=-1)


@given(games, seeds)
def test_a_move_puts_one_stone_of_the_mover_on_the_cell_that_stands_for_it(game, seed):
    states = random_game(game, seed)
    for before, after in itertools.pairwise(states):
        action, cell = after.history[-1], cell_of(before, after.history[-1])
        if cell is None:
            assert action == game.pass_action
            assert np.array_equal(planes(before), planes(after))
            continue
        assert game.action_of_cell(*cell) == action
        assert planes(before)[cell].tolist() == [True, False, False]
        assert planes(after)[cell].tolist() == [False, before.player == 0, before.player == 1]
        filled = planes(before)[..., 0] & ~planes(after)[..., 0]
        assert np.argwhere(filled).tolist() == [list(cell)]


@given(games, seeds)
def test_a_cell_is_in_one_plane_unless_it_is_absent(game, seed):
    for state in random_game(game, seed):
        assert planes(state).shape == (*game.shape, 3)
        assert planes(state).dtype == bool
        assert np.array_equal(planes(state).sum(axis=-1), ~game.absent)


@given(games, seeds)
def test_legal_actions_are_empty_cells_and_none_after_the_end(game, seed):
    cells = [game.action_of_cell(*cell) for cell in np.ndindex(*game.shape)]
    assert {action for action in cells if action is not None} <= set(range(game.num_actions))
    assert sum(action is None for action in cells) == game.absent.sum()
    *before, end = random_game(game, seed)
    for state in before:
        assert outcome(state) is None
        assert legal_actions(state).any()
        for action in np.flatnonzero(legal_actions(state)):
            cell = cell_of(state, action)
            assert cell is None or planes(state)[cell][0]
    assert not legal_actions(end).any()


@given(games, seeds)
def test_what_one_wins_the_other_loses(game, seed):
    end = random_game(game, seed)[-1]
    opposite = {"win": "loss", "draw": "draw", "loss": "win"}
    assert outcome(end, player=0) == opposite[str(outcome(end, player=1))]


@given(games, seeds, st.integers(0, 30))
def test_a_pickled_position_is_the_same(game, seed, length):
    state = random_game(game, seed, length)[-1]
    again = pickle.loads(pickle.dumps(state))
    assert again == state
    assert hash(again) == hash(state)
    assert again.player == state.player
    assert outcome(again) == outcome(state)
    assert np.array_equal(planes(again), planes(state))
    assert np.array_equal(legal_actions(again), legal_actions(state))
    assert again.game is state.game


@given(st.sampled_from(sorted(PRINTED)), seeds, st.integers(0, 40))
def test_planes_lie_as_openspiel_draws_the_board(name, seed, length):
    state = random_game(board_game(name), seed, length)[-1]
    assert np.array_equal(planes(state), printed(state, PRINTED[name]))


@given(games, seeds, st.integers(0, 20))
def test_an_illegal_action_is_refused_before_openspiel_sees_it(game, seed, length):
    state = random_game(game, seed, length)[-1]
    illegal = np.flatnonzero(~legal_actions(state)).tolist()
    for action in [-1, *illegal, game.num_actions]:
        with pytest.raises(ValueError, match="is illegal in"):
            apply(state, action)


def test_openspiel_prints_nothing_about_illegal_actions(capfd):
    state = apply(board_game("tic_tac_toe").initial_state(), 4)
    with pytest.raises(ValueError, match="action 4 is illegal in tic_tac_toe after"):
        apply(state, 4)
    assert capfd.readouterr() == ("", "")


def test_a_position_never_changes():
    start = board_game("go(board_size=5,komi=7.5)").initial_state()
    with pytest.raises(ValueError, match="read-only"):
        planes(start)[0, 0, 0] = False
    with pytest.raises(ValueError, match="read-only"):
        legal_actions(start)[0] = False
    apply(start, 3)
    assert start.history == ()
    assert start == board_game("go(board_size=5,komi=7.5)").initial_state()
    assert start != apply(start, 3)
    assert start.game.absent.flags.writeable is False


def test_rows_are_counted_from_the_top():
    go = board_game("go(board_size=7,komi=7.5)")
    assert go.action_of_cell(6, 0) == 0  # a1
    assert go.action_of_cell(0, 6) == 48
    assert go.pass_action == 49
    four = board_game("connect_four").initial_state()
    assert cell_of(four, 3) == (5, 3)
    assert cell_of(apply(four, 3), 3) == (4, 3)
    assert board_game("connect_four").action_of_cell(0, 2) == 2
    with pytest.raises(IndexError, match="not on a board of 7 x 7"):
        go.action_of_cell(7, 0)
    with pytest.raises(IndexError, match="not on a board"):
        go.action_of_cell(0, -1)


def test_a_won_line_is_told():
    state = board_game("tic_tac_toe").state_after((0, 3, 1, 4, 2))
    assert outcome(state) == outcome(state, 0) == "win"
    assert outcome(state, 1) == "loss"
    assert state.player == 1
    drawn = board_game("tic_tac_toe").state_after((0, 1, 2, 4, 3, 5, 7, 6, 8))
    assert outcome(drawn) == outcome(drawn, 1) == "draw"
    lost = board_game("misere(game=tic_tac_toe)").state_after((0, 3, 1, 4, 2))
    assert outcome(lost) == "loss"


def test_absent_cells_are_no_cells():
    game = board_game("y(board_size=3)")
    assert game.absent.tolist() == [[False] * 3, [False, False, True], [False, True, True]]
    assert game.action_of_cell(2, 1) is None
    assert board_game("havannah(board_size=4)").absent.sum() == 49 - 37
