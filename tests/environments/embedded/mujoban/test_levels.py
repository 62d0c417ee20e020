"""Levels as numbers: walls merged into rectangles, cells turned into metres."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from environments.embedded.mujoban.levels import WALL_HEIGHT, WALL_SLOTS, centre, place
from environments.embedded.mujoban.walls import rectangles
from environments.games.sokoban.level import LevelSet
from tests.environments.games.sokoban.boards import level, random_levels, real_levels

boards = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12))


def rows_of(board: np.ndarray) -> list[int]:
    return [sum(1 << i for i, wall in enumerate(row) if wall) for row in board]


@given(boards)
def test_rectangles_cover_walls_exactly_once(board):
    covered = np.zeros(board.shape, int)
    for top, left, bottom, right in rectangles(rows_of(board)):
        assert 0 <= top < bottom <= board.shape[0]
        assert 0 <= left < right <= board.shape[1]
        covered[top:bottom, left:right] += 1
    np.testing.assert_array_equal(covered, board)


@pytest.mark.parametrize(
    ("board", "expected"),
    [
        (["   ", "   "], []),
        (["###", "###"], [(0, 0, 2, 3)]),
        (["## ", "###"], [(0, 0, 2, 2), (1, 2, 2, 3)]),
        (["####", "#  #", "####"], [(0, 0, 1, 4), (1, 0, 3, 1), (1, 3, 3, 4), (2, 1, 3, 3)]),
    ],
)
def test_the_largest_rectangle_comes_first(board, expected):
    assert rectangles([sum(1 << i for i, c in enumerate(row) if c == "#") for row in board]) == (
        expected
    )


def test_real_levels_need_few_rectangles():
    counts = [len(rectangles(rows_of(level.walls))) for level in real_levels()]
    assert max(counts) <= 20
    assert np.mean(counts) < 12


def test_cells_in_metres():
    assert centre((10, 10), 0, 0) == (-4.5, 4.5)
    assert centre((10, 10), 9, 9) == (4.5, -4.5)
    assert centre((3, 7), 1, 3) == (0, 0)


@given(random_levels())
def test_a_placement_says_what_the_level_does(each):
    other = level("###", "#@#", "###")
    placement = place(LevelSet.from_levels([other, each], "by hand").padded((8, 8)), 1)
    padded = LevelSet.from_levels([each], "by hand").padded((8, 8))[0]
    np.testing.assert_array_equal(placement.planes[..., 0], padded.walls)
    np.testing.assert_array_equal(placement.planes[..., 1], padded.targets)
    assert not placement.planes[..., 2:].any()
    assert placement.boxes == tuple(map(tuple, np.argwhere(padded.boxes)))
    assert placement.pads == tuple(map(tuple, np.argwhere(padded.targets)))
    assert placement.player == padded.player
    assert placement.index == 1


@given(random_levels())
def test_walls_fill_their_cells(each):
    placement = place(LevelSet.from_levels([each], "by hand"), 0)
    pos, size = placement.wall_pos[: placement.walls], placement.wall_size[: placement.walls]
    low, high = pos - size, pos + size
    np.testing.assert_array_equal(low[:, 2], 0)
    np.testing.assert_array_equal(high[:, 2], WALL_HEIGHT)
    for row in range(each.shape[0]):
        for column in range(each.shape[1]):
            x, y = centre(each.shape, row, column)
            inside = (low[:, :2] < (x, y)) & ((x, y) < high[:, :2])
            assert inside.all(1).sum() == each.walls[row, column]


@given(st.integers(0, 9))
def test_idle_walls_are_out_of_reach(i):
    levels = LevelSet.from_levels(real_levels()[:10], "real")
    placement = place(levels, i)
    assert len(placement.wall_pos) % WALL_SLOTS == 0
    assert 0 <= len(placement.wall_pos) - placement.walls < WALL_SLOTS
    assert (placement.wall_pos[placement.walls :, 2] < -9).all()


@given(st.integers(0, 9), st.integers(0, 9))
def test_no_level_in_a_set_leaks_into_another(i, j):
    levels = LevelSet.from_levels(real_levels()[:10], "real")
    place(levels, i)
    np.testing.assert_array_equal(place(levels, j).planes[..., 0], levels[j].walls)
