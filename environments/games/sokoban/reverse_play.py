"""Random rooms and depth-first reverse play in them, compiled by numba (I2A, appendix D.4).

Cells are numbered row by row, and boards are flat. A stream of random numbers is `[1] uint64`,
splitmix64. All in one file, because numba's cache of a function does not notice changes in another
file; scalar loops and no NumPy functions, which take seconds to compile.
"""

import math
from typing import NamedTuple

import numpy as np

from environments.compiling import kept
from environments.games.sokoban.symmetry import GAMMA, exact_hash, mix, puzzle_hash

WALK = 210  # steps of the walk, per hundred rows and columns: Boxoban's mean open area at 10x10
TURN_PERCENT = 35  # how often the walk turns
DEPTH_LIMIT = 300  # the paper's
STATE_CAP = 20_000
DRAWS = 500  # rooms tried for one level before its kind is called exhausted
HELD_OUT_SHARE = 8  # one puzzle in this many is held out

# Cells that one step of the walk opens, as (row, column) about the walker: horizontal, vertical,
# an L, a square, a mirrored L; entries repeat to make four.
_MASKS = np.array(
    [
        [[0, -1], [0, 0], [0, 1], [0, 0]],
        [[-1, 0], [0, 0], [1, 0], [0, 0]],
        [[0, -1], [0, 0], [1, 0], [0, 0]],
        [[0, -1], [0, 0], [1, -1], [1, 0]],
        [[0, 1], [0, 0], [1, 0], [0, 0]],
    ],
    np.int64,
)
_STEPS = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]], np.int64)
_32 = np.uint64(32)


class Memory(NamedTuple):
    """What the search works in, made once for all levels of a kind: `N` boxes, `C` cells."""

    keys: np.ndarray  # [2, C] uint64: random numbers that hash the cells of player and boxes
    seen: np.ndarray  # [2^n] uint64: hash set of the states visited
    known: np.ndarray  # [2^n] uint64: hash set of the levels made
    solved: np.ndarray  # [N+1] int64: cells of the targets, on which the boxes stand; the player's
    cells: np.ndarray  # [N+1] int64: cells of the boxes and the player now
    best: np.ndarray  # [N+1] int64: the same in the best start so far
    occupant: np.ndarray  # [C] int64: which box is on a cell, or -1
    floor: np.ndarray  # [C] int64
    # [DEPTH_LIMIT + 1, 6] int64. By depth, what led there and what was tried: the player's move,
    # the box pulled (-1: none), the one pulled last, how often that changed, how many actions are
    # done, and their order.
    path: np.ndarray


def memory(cells: int, boxes: int, count: int) -> Memory:
    """Memory for `count` levels on boards of so many cells."""
    states = min(STATE_CAP, math.comb(cells, boxes) * cells)
    return Memory(
        keys=np.array([mix(np.uint64(i)) for i in range(1, 2 * cells + 1)], np.uint64).reshape(
            2, -1
        ),
        seen=_hash_set(states),
        known=_hash_set(count),
        solved=np.empty(boxes + 1, np.int64),
        cells=np.empty(boxes + 1, np.int64),
        best=np.empty(boxes + 1, np.int64),
        occupant=np.empty(cells, np.int64),
        floor=np.empty(cells, np.int64),
        path=np.empty((DEPTH_LIMIT + 1, 6), np.int64),
    )


def _hash_set(entries: int) -> np.ndarray:
    """An empty hash set for so many entries, at most half full then."""
    return np.zeros(1 << (2 * entries).bit_length(), np.uint64)


@kept()
def fill(boards, player, width, first, seed, held_out, memory):
    """Makes levels number `first` and on; returns how many it could.

    Args:
      boards: `[3, L, H*W] bool`, receives walls, targets, boxes.
      player: `[L]`, receives the cells of the players.
      width: W.
      first, seed: decide, with a level's place in the arrays, its stream of random numbers.
      held_out: whether to make levels of the held-out split.
      memory: made by the function of that name; `known` holds the levels made before.
    """
    walls, targets, boxes = boards[0], boards[1], boards[2]
    stream = np.empty(1, np.uint64)
    for i in range(len(player)):
        stream[0] = mix(mix(np.uint64(seed) + GAMMA) + np.uint64(first + i))
        for draw in range(DRAWS + 1):
            if draw == DRAWS:
                return i
            player[i] = _draw(stream, walls[i], targets[i], boxes[i], width, memory)
            if player[i] < 0:
                continue
            puzzle = puzzle_hash(walls[i], targets[i], boxes[i], width)
            if (puzzle % np.uint64(HELD_OUT_SHARE) == 0) != held_out:
                continue
            if _insert(memory.known, exact_hash(walls[i], targets[i], boxes[i], player[i])):
                break
    return len(player)


@kept()
def _draw(stream, walls, targets, boxes, width, memory):
    """Makes one level in place, if all goes well; returns the player's cell.

    -1 if the room is too small or has no start of positive score.
    """
    _carve(stream, walls, width)
    if not _place(stream, walls, memory) or _reverse_play(stream, walls, width, memory) == 0:
        return -1
    for cell in range(len(walls)):
        targets[cell] = boxes[cell] = False
    for i in range(len(memory.solved) - 1):
        targets[memory.solved[i]] = boxes[memory.best[i]] = True
    while True:
        player = _stroll(stream, walls, boxes, width, memory)
        if not targets[player]:
            return player


@kept()
def _below(stream, limit):
    """The next number of a stream, uniform in 0 .. limit - 1."""
    stream[0] += GAMMA
    return np.int64(((mix(stream[0]) >> _32) * np.uint64(limit)) >> _32)


@kept()
def _insert(table, key):
    """Adds `key` to a hash set (0 means empty); False if it was there."""
    mask = np.uint64(len(table) - 1)
    slot = key & mask
    while table[slot] != 0:
        if table[slot] == key:
            return False
        slot = (slot + np.uint64(1)) & mask
    table[slot] = key
    return True


@kept()
def _carve(stream, walls, width):
    """Opens a room by a random walk; the border stays closed."""
    height = len(walls) // width
    for cell in range(len(walls)):
        walls[cell] = True
    y, x = 1 + _below(stream, height - 2), 1 + _below(stream, width - 2)
    direction = _below(stream, 4)
    for _ in range(WALK * (height + width) // 100):
        if _below(stream, 100) < TURN_PERCENT:
            direction = _below(stream, 4)
        y = min(max(y + _STEPS[direction, 0], 1), height - 2)
        x = min(max(x + _STEPS[direction, 1], 1), width - 2)
        shape = _below(stream, len(_MASKS))
        for k in range(4):
            row, column = y + _MASKS[shape, k, 0], x + _MASKS[shape, k, 1]
            if 0 < row < height - 1 and 0 < column < width - 1:
                walls[row * width + column] = False


@kept()
def _place(stream, walls, memory):
    """Draws distinct open cells for targets and player; False if the room has too few."""
    floor, solved, count = memory.floor, memory.solved, 0
    for cell in range(len(walls)):
        if not walls[cell]:
            floor[count] = cell
            count += 1
    if count < len(solved):
        return False
    for i in range(len(solved)):
        j = i + _below(stream, count - i)
        floor[i], floor[j] = floor[j], floor[i]
        solved[i] = floor[i]
    return True


@kept()
def _stroll(stream, walls, boxes, width, memory):
    """A random cell that the player of the best start can walk to."""
    floor, reached = memory.floor, memory.occupant
    for cell in range(len(walls)):
        reached[cell] = walls[cell] or boxes[cell]
    floor[0], count, read = memory.best[-1], 1, 0
    reached[floor[0]] = 1
    while read < count:
        for k in range(4):
            cell = floor[read] + _STEPS[k, 0] * width + _STEPS[k, 1]
            if reached[cell] == 0:
                reached[cell] = 1
                floor[count] = cell
                count += 1
        read += 1
    return floor[_below(stream, count)]


@kept()
def _displacement(memory, width):
    """Summed distance of boxes from their own targets; 0 if any, or the player, stands on one."""
    solved, cells, total = memory.solved, memory.cells, 0
    count = len(solved) - 1
    for i in range(count):
        for j in range(count + 1):
            if cells[j] == solved[i]:
                return 0
        total += abs(cells[i] // width - solved[i] // width)
        total += abs(cells[i] % width - solved[i] % width)
    return total


@kept()
def _step(memory, move, box):
    """Steps the player by `move`, and box number `box` (-1: none) after it into the cell it left.

    Returns the change of the state's hash.
    """
    cells, occupant, keys = memory.cells, memory.occupant, memory.keys
    player = cells[-1]
    cells[-1] = player + move
    change = keys[0, player] ^ keys[0, player + move]
    if box >= 0:
        behind = player - move
        occupant[behind], occupant[player], cells[box] = -1, box, player
        change ^= keys[1, behind] ^ keys[1, player]
    return change


@kept()
def _undo(memory, move, box):
    """Takes back `_step`; returns the change of the state's hash."""
    cells, occupant, keys = memory.cells, memory.occupant, memory.keys
    player = cells[-1] - move
    cells[-1] = player
    change = keys[0, player] ^ keys[0, player + move]
    if box >= 0:
        behind = player - move
        occupant[player], occupant[behind], cells[box] = -1, box, behind
        change ^= keys[1, behind] ^ keys[1, player]
    return change


@kept()
def _solve(stream, memory):
    """Sets the memory to the solved state, nothing tried yet; returns the state's hash."""
    solved, cells, occupant = memory.solved, memory.cells, memory.occupant
    for cell in range(len(occupant)):
        occupant[cell] = -1
    state = memory.keys[0, solved[-1]]
    cells[-1] = solved[-1]
    for i in range(len(solved) - 1):
        cells[i] = solved[i]
        occupant[cells[i]] = i
        state ^= memory.keys[1, cells[i]]
    for slot in range(len(memory.seen)):
        memory.seen[slot] = 0
    _insert(memory.seen, state)
    _visit(memory.path[0], 0, -1, -1, 0, _below(stream, 32))
    return state


@kept()
def _visit(entry, move, pulled, last, changes, order):
    entry[0], entry[1], entry[2], entry[3] = move, pulled, last, changes
    entry[4], entry[5] = 0, order


@kept()
def _reverse_play(stream, walls, width, memory):
    """Searches back from the solved room for the start of greatest score; returns the score.

    `memory.best` then holds the start.
    """
    state = _solve(stream, memory)
    path, cells, occupant = memory.path, memory.cells, memory.occupant
    depth, states, best_score = 0, 1, 0
    while states < STATE_CAP:
        entry = path[depth]
        last, changes, done, order = entry[2], entry[3], entry[4], entry[5]
        if done == 8 or depth == DEPTH_LIMIT:
            if depth == 0:
                break
            state ^= _undo(memory, entry[0], entry[1])
            depth -= 1
            continue
        entry[4] += 1
        action = (order + (2 * (order >> 3) + 1) * done) & 7
        move = _STEPS[action & 3, 0] * width + _STEPS[action & 3, 1]
        there, behind = cells[-1] + move, cells[-1] - move
        box = occupant[behind] if action >= 4 else -1
        if walls[there] or occupant[there] >= 0 or (action >= 4 and box < 0):
            continue
        state ^= _step(memory, move, box)
        if not _insert(memory.seen, state):
            state ^= _undo(memory, move, box)
            continue
        states, depth = states + 1, depth + 1
        if box >= 0 and box != last:
            last, changes = box, changes + 1
        _visit(path[depth], move, box, last, changes, _below(stream, 32))
        if changes > 0:
            score = changes * _displacement(memory, width)
            if score > best_score:
                best_score = score
                for i in range(len(cells)):
                    memory.best[i] = cells[i]
    return best_score
