"""Boards for the tests: drawn by hand, drawn at random, and real ones."""

from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from environments.games.sokoban.level import Level

DATA = Path(__file__).parents[3] / "data" / "boxoban"


def level(*rows: str) -> Level:
    """The level that `rows` draw in the usual symbols."""
    board = np.array([list(row) for row in rows])
    (row, column) = np.argwhere(np.isin(board, list("@+")))[0]
    return Level(
        board == "#",
        np.isin(board, list(".+*")),
        np.isin(board, list("$*")),
        (int(row), int(column)),
    )


@cache
def real_levels() -> tuple[Level, ...]:
    """The Boxoban levels that lie with the tests, read without the code under test."""
    blocks = [
        block.splitlines()[1:]
        for path in sorted(DATA.rglob("[0-9]*.txt"))
        for block in path.read_text().split(";")[1:]
    ]
    return tuple(level(*filter(None, rows)) for rows in blocks)


@st.composite
def random_levels(draw: st.DrawFn, shape: tuple[int, int] | None = None) -> Level:
    """Boards with a closed border; as many boxes and targets as chance has it."""
    height, width = shape or (draw(st.integers(3, 8)), draw(st.integers(3, 8)))
    inside = (height - 2) * (width - 2)
    symbols = draw(st.lists(st.sampled_from("    #.$$*"), min_size=inside, max_size=inside))
    player = draw(st.integers(0, inside - 1))
    symbols[player] = draw(st.sampled_from("@+"))
    board = np.full((height, width), "#")
    board[1:-1, 1:-1] = np.reshape(symbols, (height - 2, width - 2))
    return level(*("".join(row) for row in board))
