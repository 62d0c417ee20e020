"""Generates Sokoban levels by reverse play from solved rooms (I2A, 1707.06203, appendix D.4).

A room is carved by a random walk, boxes and player are put into it solved, and a depth-first
search of moves and pulls looks for the start with the greatest score: how often the pulled box
changed, times the summed Manhattan distance of every box from its own target.

Departures from the paper: the search visits at most STATE_CAP states instead of a million, in an
order of actions drawn anew for every state (so that few states still sample the whole tree), and
no start has its player on a target (none in the published levels has).

Every level has a random stream of its own, made of the seed and its index by integer arithmetic
alone: a set is the same on every machine, and a smaller one is its beginning. No set holds a level
twice. Which split a level belongs to is a property of the puzzle itself (`symmetry.puzzle_hash`):
sets of different splits share no level, nor its mirror images, whatever their seeds.

Compiled by numba, and therefore only to be imported when levels are generated.
"""

import math

import numpy as np
from numba import njit

from environments.errors import UserError
from environments.games.sokoban.level import LevelSet, pack_bits
from environments.games.sokoban.reverse_play import carve, insert, place, reverse_play, stroll
from environments.games.sokoban.symmetry import GAMMA, exact_hash, mix, puzzle_hash

SPLITS = ("train", "held_out")
HELD_OUT_SHARE = 8  # one puzzle in this many is held out
WALK = 210  # steps of the walk, per hundred rows and columns
STATE_CAP = 30_000
DRAWS = 2_000  # rooms tried for one level before its kind is called exhausted
_CHUNK = 64  # levels between two chances to interrupt


@njit(cache=True)
def _draw(stream, walls, targets, boxes, keys, seen, cap, starts):
    """Makes one level in place of `walls, targets, boxes [H, W] bool`, if all goes well.

    `starts [2, N+1]` receives the cells of boxes and player, solved and at the start. Returns the
    player's cell, or -1 if the room is too small or has no start of positive score.
    """
    height, width = walls.shape
    solved, best = starts
    carve(stream, walls, WALK * (height + width) // 100)
    if not place(stream, walls, solved):
        return -1
    if reverse_play(stream, walls, solved, keys, seen, cap, best) == 0:
        return -1
    targets[:] = False
    boxes[:] = False
    for i in range(len(best) - 1):
        targets[solved[i] // width, solved[i] % width] = True
        boxes[best[i] // width, best[i] % width] = True
    while True:
        player = stroll(stream, walls | boxes, best[-1])
        if not targets[player // width, player % width]:
            return player


@njit(cache=True)
def _fill(boards, player, start, stop, seed, held_out, keys, seen, cap, starts, known):
    """Makes the levels `start` .. `stop - 1`; returns how far it came.

    `boards [3, L, H, W] bool` are walls, targets, boxes; `player [L]` its cells; `known` is the
    hash set of the levels before `start`; for the rest see `reverse_play`.
    """
    walls, targets, boxes = boards
    stream = np.zeros(1, np.uint64)
    for i in range(start, stop):
        stream[0] = mix(mix(np.uint64(seed) + GAMMA) + np.uint64(i))
        for draw in range(DRAWS + 1):
            if draw == DRAWS:
                return i
            player[i] = _draw(stream, walls[i], targets[i], boxes[i], keys, seen, cap, starts)
            if player[i] < 0:
                continue
            puzzle = puzzle_hash(walls[i], targets[i], boxes[i])
            if (puzzle % np.uint64(HELD_OUT_SHARE) == 0) != held_out:
                continue
            if insert(known, exact_hash(walls[i], targets[i], boxes[i], player[i])):
                break
    return stop


def _table(entries: int) -> np.ndarray:
    """An empty hash set that stays at most half full."""
    return np.zeros(1 << (2 * entries).bit_length(), np.uint64)


def generate(
    height: int, width: int, boxes: int, count: int, seed: int, split: str = "train"
) -> LevelSet:
    """`count` distinct levels of one split, the same on every machine.

    Args:
      height, width: of the board, walls included.
      boxes: how many boxes, and targets, each level has.
      count: how many levels.
      seed: decides them.
      split: `train` or `held_out`; no level of one is a level, or its mirror image, of the other.

    Raises UserError if there are not that many levels of this kind.
    """
    boards = np.empty((3, count, height, width), np.bool_)
    player = np.empty(count, np.int32)
    cells = (height - 2) * (width - 2)
    cap = min(STATE_CAP, math.comb(cells, boxes) * cells + 1)
    keys = np.array([mix(np.uint64(i)) for i in range(1, 2 * height * width + 1)], np.uint64)
    keys = keys.reshape(2, -1)
    starts = np.empty((2, boxes + 1), np.int64)
    seen, known = _table(cap), _table(count)
    for start in range(0, count, _CHUNK):
        stop = min(start + _CHUNK, count)
        done = _fill(
            boards,
            player,
            start,
            stop,
            seed,
            split == "held_out",
            keys,
            seen,
            cap,
            starts,
            known,
        )
        if done < stop:
            raise UserError(
                f"only {done} of {count} distinct {split} levels of {height}x{width} cells with "
                f"{boxes} boxes turned up: ask for at most {done}, a larger size or fewer boxes"
            )
    source = f"generated:size={width},boxes={boxes},count={count},seed={seed},split={split}"
    planes = (pack_bits(board) for board in boards)
    return LevelSet(source, (height, width), *planes, player=player)
