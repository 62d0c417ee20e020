"""Pictures of boards and frames: sizes, and colours where things are."""

from types import SimpleNamespace

import numpy as np
import pytest

from environments.errors import UserError
from environments.games.board.game import board_game
from environments.games.sokoban import rules
from environments.games.sokoban.observations import SPRITES
from environments.games.sokoban.sources import load_levels
from launch.board_picture import BACKGROUND, board_picture
from launch.frames import Caption, compose, frame_size

LEVEL = "#####\n#@$.#\n#   #\n#####\n"


def test_sokoban_is_its_sprites_enlarged():
    state = rules.initial_state(load_levels(LEVEL)[0])
    picture = board_picture(state, 100)
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
    assert board_picture(state, 64).shape == (64, 64, 3)


@pytest.mark.parametrize("name", ["tic_tac_toe", "go(board_size=5,komi=7.5)", "connect_four"])
def test_stones_lie_where_they_are(name):
    game = board_game(name)
    state = game.initial_state()
    empty = board_picture(state, 120)
    assert empty.shape == (120, 120, 3)
    action = int(np.flatnonzero(state.legal)[2])
    after = game.state_after((action,))
    new = after.planes[..., 1:].any(-1)
    changed = (board_picture(after, 120) != empty).any(-1)
    rows, columns = np.argwhere(changed).T
    height, width = game.shape
    cell = 120 * 4 // max(height, width) // 4
    top, left = (120 - cell * height) // 2, (120 - cell * width) // 2
    ((row, column),) = np.argwhere(new)
    assert abs(rows.mean() - top - (row + 0.5) * cell) < 1.5
    assert abs(columns.mean() - left - (column + 0.5) * cell) < 1.5
    assert max(np.ptp(rows), np.ptp(columns)) <= cell + 6  # smooth edges reach farther
    if name != "tic_tac_toe":
        marked = board_picture(after, 120, new)
        middle = marked[top + row * cell + cell // 2, left + column * cell + cell // 2]
        assert middle[0] > middle[2] + 100  # orange


def test_planes_of_any_game_are_squares_the_last_on_top():
    planes = np.zeros((2, 3, 9), bool)
    planes[0, 0, 0] = planes[0, 1, (0, 1)] = planes[1, 2, 8] = True
    cells = board_picture(planes, 30)[10::10, 5::10]
    assert (board_picture(SimpleNamespace(planes=planes), 30)[10::10, 5::10] == cells).all()
    empty, first, second, ninth = cells[1, 0], cells[0, 0], cells[0, 1], cells[1, 2]
    colours = {tuple(colour) for colour in (empty, first, second, ninth)}
    assert len(colours) == 4
    assert BACKGROUND not in colours
    assert (board_picture(planes[..., 0], 30)[10::10, 5::10][0, 0] == first).all()


@pytest.mark.parametrize("state", [3, np.zeros((2, 2)), np.zeros(4, bool)])
def test_other_states_have_no_picture(state):
    with pytest.raises(UserError, match=f"no picture for boards of {type(state).__name__}"):
        board_picture(state, 100)


@pytest.mark.parametrize("height", [64, 65, 288, 480])
@pytest.mark.parametrize("outcome", ["", "solved"])
def test_frames_have_even_sizes_whatever_they_show(height, outcome):
    scene, board = (np.zeros((height, w, 3), np.uint8) for w in (height * 4 // 3, height))
    scene[:], board[:] = 100, 200
    caption = Caption("mujoban, scripted, level 3", "3.5 s, 35 steps", "return 1.00", outcome, True)
    frame = compose([scene, board], caption)
    assert frame.shape == (*frame_size(height, [scene.shape[1], board.shape[1]]), 3)
    assert frame.shape[0] % 2 == frame.shape[1] % 2 == 0
    assert (frame == 100).all(-1).sum() >= scene.shape[0] * scene.shape[1]
    assert (frame == 200).all(-1).sum() >= board.shape[0] * board.shape[1]
    assert (frame[height + height // 40 :] > 140).any(), "nothing is written"


def test_the_outcome_is_green_if_it_is_good():
    board = np.zeros((200, 200, 3), np.uint8)
    good, bad = (
        compose([board], Caption("t", "p", "s", "over", kind)).astype(int) for kind in (True, False)
    )
    assert ((good[..., 1] > good[..., 0] + 60).any(), (bad[..., 0] > bad[..., 1] + 60).any()) == (
        True,
        True,
    )
