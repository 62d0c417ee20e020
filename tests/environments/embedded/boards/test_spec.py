from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.embedded.boards.embedding import BoardEmbedding
from environments.embedded.boards.spec import (
    MAX_EXTENT,
    MIN_SPACING,
    TIC_TAC_TOE,
    BoardSpec,
    board_for,
    fitted,
    go_board,
)
from environments.errors import UserError
from environments.games.board.game import board_game
from environments.players.random import RandomPlayer

GAMES = (
    "tic_tac_toe",
    "go(board_size=7)",
    "go(board_size=19)",
    "connect_four",
    "hex",
    "othello",
    "gomoku",
    "havannah",
    "y(board_size=9)",
    "mnk(m=5,n=4,k=3)",
)


@pytest.mark.parametrize(
    ("game", "spec", "said"),
    [
        ("go(board_size=5)", replace(go_board(5), pass_plate=False), "needs pass_plate=True"),
        ("tic_tac_toe", replace(TIC_TAC_TOE, pass_plate=True), "has no pass"),
        ("tic_tac_toe", fitted(3, 4), "board of 3x4 with 12 cells is not .* which has 3x3 with 9"),
        ("tic_tac_toe", fitted(3, 3, absent=frozenset({(1, 1)})), "with 8 cells is not that of"),
    ],
)
def test_a_board_on_which_the_game_cannot_be_played_is_refused_in_one_line(game, spec, said):
    with pytest.raises(UserError, match=said) as error:
        BoardEmbedding(board_game(game), spec, RandomPlayer(0))
    assert "\n" not in str(error.value)


def test_tic_tac_toe_is_the_public_board():
    spec = board_for(board_game("tic_tac_toe"))
    assert spec == TIC_TAC_TOE
    assert spec.extent == pytest.approx((0.3, 0.3))
    assert (spec.tile, spec.sensor, spec.height) == pytest.approx((0.05, 0.035, 0.01))
    np.testing.assert_allclose(spec.centre(0, 0), (-0.1, 0.1, 0.02))  # the far left cell
    np.testing.assert_allclose(spec.centre(2, 1), (0.0, -0.1, 0.02))
    assert (spec.markers, spec.marker_radius, spec.marker_height) == (5, 0.025, 0.01)
    assert not spec.fingers_only
    assert not spec.pass_plate


def test_go_7x7_is_the_public_board():
    spec = board_for(board_game("go(board_size=7)"))
    assert spec == go_board(7)
    assert spec.extent == pytest.approx((0.7, 0.7))
    assert spec.plate == pytest.approx((0.7, 0.35, 0.005))
    np.testing.assert_allclose(spec.centre(6, 0), (-0.3, -0.38, 0.02))  # a1
    assert (spec.markers, spec.jitter) == (98, 0.25)
    assert spec.marker_radius == pytest.approx(0.04)
    assert spec.fingers_only


@pytest.mark.parametrize("name", GAMES)
def test_boards_of_all_games_fit_the_arm(name):
    game = board_game(name)
    spec = board_for(game)
    centres = np.array([spec.centre(*cell) for cell in spec.cells])
    assert len(spec.cells) == (~game.absent).sum()
    assert MIN_SPACING <= spec.spacing <= 0.1
    low, high = centres[:, :2].min(0) - spec.tile, centres[:, :2].max(0) + spec.tile
    assert (high - low).max() <= MAX_EXTENT + 1e-4
    assert high[1] <= 0.27 + 1e-4  # the arm's base stands at 0.4
    np.testing.assert_allclose((low + high)[0], 0, atol=1e-9)
    assert spec.pass_plate == (game.pass_action is not None)


@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    shift=st.sampled_from([0.0, 0.5, -0.5]),
    data=st.data(),
)
def test_cells_never_overlap(rows, columns, shift, data):
    every = [(row, column) for row in range(rows) for column in range(columns)]
    absent = frozenset(data.draw(st.sets(st.sampled_from(every), max_size=len(every) - 1)))
    spec = fitted(rows, columns, absent=absent, row_shift=shift)
    assert set(spec.cells) == set(every) - absent
    centres = np.array([spec.centre(*cell) for cell in spec.cells])[:, :2]
    apart = np.abs(centres[:, None] - centres[None]).max(-1) + np.eye(len(centres))
    assert apart.min() >= spec.spacing - 1e-9
    for (row, column), centre in zip(spec.cells, centres, strict=True):
        below = (row + 1, column)
        if below in spec.cells:
            step = spec.centre(*below)[:2] - centre
            np.testing.assert_allclose(step, (shift * spec.spacing, -spec.spacing), atol=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fitted(21, 3), "choose a smaller board"),
        (lambda: board_for(board_game("hex(board_size=19)")), "25 mm wide"),
        (lambda: BoardSpec(8, 8), "reach of 0.7 m"),
        (lambda: BoardSpec(1, 1, absent=frozenset({(0, 0)})), "must have cells"),
    ],
)
def test_a_board_that_does_not_fit_is_refused_in_one_line(make, message):
    with pytest.raises(UserError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
