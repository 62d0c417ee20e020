"""What makes two Sokoban levels the same puzzle: a hash blind to symmetry, place and player.

The values decide which levels are held out, so they never change. Imports numba: import this only
when levels are generated or compared. Boards are flat within: cells are numbered row by row.
"""

import numpy as np

from environments.compiling import kept
from environments.games.sokoban.level import LevelSet, unpack_bits

# Constants of splitmix64 (Steele, Lea and Flood 2014).
GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FACTOR_1 = np.uint64(0xBF58476D1CE4E5B9)
_FACTOR_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)


@kept()
def mix(x):
    """A bijection of 64-bit words in which every input bit moves every output bit."""
    x = (x ^ (x >> _S30)) * _FACTOR_1
    x = (x ^ (x >> _S27)) * _FACTOR_2
    return x ^ (x >> _S31)


@kept()
def exact_hash(walls, targets, boxes, player):
    """`uint64` of one level: boards `[H*W] bool`, `player` its cell."""
    state = mix(np.uint64(player) + GAMMA)
    for cell in range(len(walls)):
        code = walls[cell] + 2 * targets[cell] + 4 * boxes[cell]
        state = mix((state + np.uint64(code)) ^ GAMMA)
    return state


@kept()
def puzzle_hash(walls, targets, boxes, width):
    """`uint64` of one level without its player: boards `[H*W] bool`.

    Equal for the eight symmetric images of a level, and wherever it lies on a board of any size:
    the least of the hashes of the eight images of its open rectangle.
    """
    top, left, bottom, right = len(walls), width, -1, -1
    for cell in range(len(walls)):
        if not walls[cell]:
            y, x = cell // width, cell % width
            top, bottom = min(top, y), max(bottom, y)
            left, right = min(left, x), max(right, x)
    rows, columns = bottom - top + 1, right - left + 1
    least = np.uint64(0xFFFFFFFFFFFFFFFF)
    for image in range(8):
        transposed = image >= 4
        outer, inner = (columns, rows) if transposed else (rows, columns)
        state = mix(np.uint64(inner) + GAMMA)
        for i in range(outer):
            for j in range(inner):
                y, x = (j, i) if transposed else (i, j)
                y = bottom - y if image & 1 else top + y
                x = right - x if image & 2 else left + x
                cell = y * width + x
                code = walls[cell] + 2 * targets[cell] + 4 * boxes[cell]
                state = mix((state + np.uint64(code)) ^ GAMMA)
        least = min(least, state)
    return least


@kept()
def _hashes(boards, player, width, exact, puzzle):
    for i in range(len(player)):
        walls, targets, boxes = boards[0, i], boards[1, i], boards[2, i]
        exact[i] = exact_hash(walls, targets, boxes, player[i])
        puzzle[i] = puzzle_hash(walls, targets, boxes, width)


def hashes(levels: LevelSet) -> tuple[np.ndarray, np.ndarray]:
    """The exact and the puzzle hashes of all levels, each `[L] uint64`."""
    planes = (levels.walls, levels.targets, levels.boxes)
    boards = np.stack([unpack_bits(words, levels.shape) for words in planes])
    exact, puzzle = np.empty((2, len(levels)), np.uint64)
    flat = boards.reshape(3, len(levels), -1)
    _hashes(flat, levels.player, levels.shape[1], exact, puzzle)
    return exact, puzzle
