"""Levels that keep every rule, drawn at random, and how to compare level sets."""

import numpy as np
from hypothesis import strategies as st

from environments.games.sokoban.level import Level, LevelSet


@st.composite
def sound_levels(draw: st.DrawFn, shape: tuple[int, int] | None = None) -> Level:
    """Closed borders, as many boxes as targets, some box off target; player anywhere free."""
    height, width = shape or (draw(st.integers(3, 9)), draw(st.integers(5, 12)))
    inside = (height - 2) * (width - 2)
    cells = draw(st.permutations(range(inside)))
    boxes = draw(st.integers(1, (inside - 1) // 2))
    shared = draw(st.integers(0, boxes - 1))  # boxes that stand on a target
    masks = np.zeros((3, inside), bool)
    walls, targets, on = masks
    on[cells[:boxes]] = True
    targets[cells[boxes - shared : 2 * boxes - shared]] = True
    rest = cells[2 * boxes - shared :]
    walls[rest[1 : 1 + draw(st.integers(0, len(rest) - 1))]] = True
    start = rest[0] if draw(st.booleans()) else next(c for c in cells if not on[c] | walls[c])
    boards = np.zeros((3, height, width), bool)
    boards[0] = True
    boards[:, 1:-1, 1:-1] = masks.reshape(3, height - 2, width - 2)
    row, column = divmod(start, width - 2)
    return Level(*boards, player=(row + 1, column + 1))


def assert_same(a: LevelSet, b: LevelSet) -> None:
    assert a.shape == b.shape
    for name in ("walls", "targets", "boxes", "player"):
        left, right = getattr(a, name), getattr(b, name)
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right, err_msg=name)


def first(levels: LevelSet, count: int) -> LevelSet:
    """The first `count` levels, with a type that checkers know."""
    chosen = levels[:count]
    assert isinstance(chosen, LevelSet)
    return chosen
