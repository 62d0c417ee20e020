"""Pictures of boards: sizes, and colours where things are."""

import numpy as np
import pytest

from environments.games.board.game import board_game
from environments.games.sokoban import rules
from environments.games.sokoban.observations import SPRITES
from environments.games.sokoban.sources import load_levels
from environments.pictures import BACKGROUND, board_picture

LEVEL = "#####\n#@$.#\n#   #\n#####\n"


def test_sokoban_is_its_sprites_enlarged():
    state = rules.initial_state(load_levels(LEVEL)[0])
    picture = board_picture(state, rules.planes(state), 100)
    assert picture.shape == (100, 100, 3)
    # 4 by 5 cells of 8 pixels, twice as large, in the middle.
    board = picture[18:82, 10:90]
    assert (picture[:18] == BACKGROUND).all()
    assert (picture[82:] == BACKGROUND).all()
    box = board[16:32, 32:48]
    assert (box == SPRITES[3].repeat(2, 0).repeat(2, 1)).all()


def test_boards_larger_than_the_picture_are_made_smaller():
    rows = ["#" * 20, "#@$." + " " * 15 + "#", "#" * 20]
    state = rules.initial_state(load_levels("\n".join(rows))[0])
    assert board_picture(state, rules.planes(state), 64).shape == (64, 64, 3)


@pytest.mark.parametrize("name", ["tic_tac_toe", "go(board_size=5,komi=7.5)", "connect_four"])
def test_stones_lie_where_they_are(name):
    game = board_game(name)
    state = game.initial_state()
    empty = board_picture(state, state.planes, 120)
    assert empty.shape == (120, 120, 3)
    action = int(np.flatnonzero(state.legal)[2])
    after = game.state_after((action,))
    new = after.planes[..., 1:].any(-1)
    changed = (board_picture(after, after.planes, 120) != empty).any(-1)
    rows, columns = np.argwhere(changed).T
    height, width = game.shape
    cell = 120 * 4 // max(height, width) // 4
    top, left = (120 - cell * height) // 2, (120 - cell * width) // 2
    ((row, column),) = np.argwhere(new)
    assert abs(rows.mean() - top - (row + 0.5) * cell) < 1.5
    assert abs(columns.mean() - left - (column + 0.5) * cell) < 1.5
    assert max(np.ptp(rows), np.ptp(columns)) <= cell + 6  # smooth edges reach farther
    if name != "tic_tac_toe":
        marked = board_picture(after, after.planes, 120, new)
        middle = marked[top + row * cell + cell // 2, left + column * cell + cell // 2]
        assert middle[0] > middle[2] + 100  # orange


def test_planes_of_any_game_are_squares_the_last_on_top():
    planes = np.zeros((2, 3, 9), bool)
    planes[0, 0, 0] = planes[0, 1, (0, 1)] = planes[1, 2, 8] = True
    cells = board_picture("any", planes, 30)[10::10, 5::10]
    empty, first, second, ninth = cells[1, 0], cells[0, 0], cells[0, 1], cells[1, 2]
    colours = {tuple(colour) for colour in (empty, first, second, ninth)}
    assert len(colours) == 4
    assert BACKGROUND not in colours
