"""The abstract state: rounding, overlaps, pads."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from environments.embedded.mujoban.board import Board, active_pads, pressed, rounded

WALLS = np.pad(np.zeros((3, 4), bool), 1, constant_values=True)
WALLS[2, 2] = True
OPEN = [(int(row), int(column)) for row, column in np.argwhere(~WALLS)]
numbers = st.floats(-3, 9)
places = st.tuples(numbers, numbers)


def board(*boxes, player=(1, 1)) -> Board:
    return Board(boxes, player)


def test_places_are_rounded_to_cells():
    before = board((1, 2), (3, 3))
    after = rounded(WALLS, [(1.3, 2.6), (2.6, 3.4)], (1.49, 0.51), before)
    assert after == Board(((1, 3), (3, 3)), (1, 1), 0)


def test_a_box_that_rounds_into_a_wall_stays():
    after = rounded(WALLS, [(1.6, 2.0)], (1, 1), board((1, 2)))
    assert after == Board(((1, 2),), (1, 1), 1)


def test_a_box_off_the_board_stays():
    for place in ((-1.0, 2.0), (1.0, 7.0), (-3.0, -3.0)):
        assert rounded(WALLS, [place], (1, 1), board((1, 2))).boxes == ((1, 2),)


def test_of_two_boxes_in_a_cell_the_one_that_was_there_keeps_it():
    before = board((1, 2), (1, 3))
    after = rounded(WALLS, [(1, 2.6), (1, 3.2)], (3, 1), before)
    assert after == Board(((1, 2), (1, 3)), (3, 1), 1)
    after = rounded(WALLS, [(1, 2.2), (1, 2.4)], (3, 1), before)
    assert after == Board(((1, 2), (1, 3)), (3, 1), 1)


def test_of_two_boxes_new_to_a_cell_the_first_has_it():
    after = rounded(WALLS, [(1, 2.6), (1, 3.2)], (3, 1), board((1, 2), (1, 4)))
    assert after == Board(((1, 3), (1, 4)), (3, 1), 1)


def test_without_its_cell_a_box_goes_to_the_nearest_that_is_free():
    # The first stays where the second was; the second is in a wall.
    after = rounded(WALLS, [(1, 3), (0.4, 3.2)], (3, 1), board((1, 2), (1, 3)))
    assert after.overlaps == 1
    assert after.boxes == ((1, 3), (1, 4))


def test_the_player_in_a_cell_with_a_box_stays():
    assert rounded(WALLS, [(1, 2)], (1.1, 1.6), board((1, 2))) == Board(((1, 2),), (1, 1), 1)
    assert rounded(WALLS, [(1, 2)], (2.0, 1.6), board((1, 2))) == Board(((1, 2),), (1, 1), 1)


def test_a_box_that_takes_the_players_cell_moves_the_player():
    after = rounded(WALLS, [(1, 1.4)], (1, 1.1), board((1, 2)))
    assert after == Board(((1, 1),), (1, 2), 1)


@given(
    st.lists(places, min_size=1, max_size=4),
    places,
    st.lists(st.sampled_from(OPEN), min_size=5, max_size=5, unique=True),
)
def test_whatever_happens_the_board_is_sound(boxes, walker, cells):
    before = Board(tuple(cells[: len(boxes)]), cells[-1])
    after = rounded(WALLS, boxes, walker, before)
    occupied = [*after.boxes, after.player]
    assert len(after.boxes) == len(boxes)
    assert len(set(occupied)) == len(occupied)
    assert set(occupied) <= set(OPEN)
    wanted = [tuple(map(round, place)) for place in (*boxes, walker)]
    moved = sum(cell != wish for cell, wish in zip(occupied, wanted, strict=True))
    assert after.overlaps == moved
    if len(set(wanted)) == len(wanted) and set(wanted) <= set(OPEN):
        assert moved == 0


def test_a_pad_is_active_within_reach_along_both_axes():
    pads = ((1, 1), (1, 3))
    assert pressed(pads, [(1.1, 0.9), (1, 3)], 0.1 + 1e-9) == (0, 1)
    assert pressed(pads, [(1.11, 1), (1, 2.89)], 0.1) == (None, None)
    assert pressed(pads, [(2, 2), (1.09, 3.09)], 0.1) == (None, 1)
    assert active_pads((None, 1)) == 1
    assert active_pads((1, 1, None)) == 1
    assert active_pads((None, None)) == 0


@given(st.lists(places, min_size=1, max_size=3), st.floats(0.05, 0.5))
def test_pads_by_the_definition(boxes, reach):
    pads = tuple(OPEN[::3])
    assume(all(abs(number % 1 - 0.5) > 1e-6 for place in boxes for number in place))
    found = pressed(pads, boxes, reach)
    for place, pad in zip(boxes, found, strict=True):
        near = [
            i
            for i, cell in enumerate(pads)
            if max(abs(place[0] - cell[0]), abs(place[1] - cell[1])) <= reach
        ]
        assert near == ([] if pad is None else [pad])
