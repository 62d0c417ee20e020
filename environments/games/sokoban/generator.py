"""Generates Sokoban levels by reverse play from solved rooms (I2A, 1707.06203, appendix D.4).

A room is carved by a random walk, boxes and player are put into it solved, and a depth-first
search of moves and pulls looks for the start with the greatest score: how often the pulled box
changed, times the summed Manhattan distance of every box from its own target.

Departures from the paper: the search visits at most 20,000 states instead of a million, in an
order of actions drawn anew for every state (so that few states sample the whole tree: a larger cap
does not take the boxes farther); the player, whom the search leaves beside the box pulled last,
starts anywhere that it can walk to, but on no target (Boxoban's starts look the same way).

Every level has a random stream of its own, made of the seed and its index by integer arithmetic
alone: a set is the same on every machine, and a smaller one is its beginning. No set holds a level
twice. Which split a level belongs to is a property of the puzzle itself (`symmetry.puzzle_hash`):
sets of different splits share no level, nor its mirror images, whatever their seeds.

Imports numba: import this only when levels are generated.
"""

import numpy as np

from environments.errors import UserError
from environments.games.sokoban.level import LevelSet, pack_bits
from environments.games.sokoban.reverse_play import fill, memory
from environments.progress import progress

_CHUNK = 64  # levels between two chances to interrupt


def generate(
    height: int, width: int, boxes: int, count: int, seed: int, split: str = "train"
) -> LevelSet:
    """`count` distinct levels of one split, the same on every machine.

    Args:
      height, width: of the board, walls included.
      boxes: how many boxes, and targets, each level has.
      count: how many levels.
      seed: decides them; 0 .. 2^63 - 1.
      split: `train` or `held_out`; no level of one is a level, or its mirror image, of the other.

    Raises UserError if there are not that many levels of this kind.
    """
    scratch = memory(height * width, boxes, count)
    chunks = []
    with progress(f"levels {height}x{width}", count) as advance:
        for first in range(0, count, _CHUNK):
            size = min(_CHUNK, count - first)
            boards = np.empty((3, size, height * width), np.bool_)
            player = np.empty(size, np.int32)
            made = fill(boards, player, width, first, seed, split == "held_out", scratch)
            if made < size:
                raise UserError(
                    f"only {first + made} of {count} distinct {split} levels turned up with "
                    f"size={width}, boxes={boxes}: lower the count, or change size or boxes"
                )
            planes = boards.reshape(3, size, height, width)
            chunks.append((*map(pack_bits, planes), player))
            advance(size)
    walls, targets, box_words, players = map(np.concatenate, zip(*chunks, strict=True))
    source = f"generated:size={width},boxes={boxes},count={count},seed={seed},split={split}"
    return LevelSet(source, (height, width), walls, targets, box_words, players)
