"""Random rooms and depth-first reverse play in them, compiled by numba (I2A, appendix D.4).

Cells are numbered row by row. A stream of random numbers is `[1] uint64`, splitmix64. All in one
file, because numba's cache of a function does not notice changes in another file.
"""

import numpy as np
from numba import njit

from environments.games.sokoban.symmetry import GAMMA, exact_hash, mix, puzzle_hash

WALK = 210  # steps of the walk, per hundred rows and columns: Boxoban's mean open area at 10x10
TURN_PERCENT = 35  # how often the walk turns
DEPTH_LIMIT = 300  # the paper's
DRAWS = 2_000  # rooms tried for one level before its kind is called exhausted
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


@njit(cache=True)
def below(stream, limit):
    """The next number of a stream, uniform in 0 .. limit - 1."""
    stream[0] += GAMMA
    return np.int64(((mix(stream[0]) >> _32) * np.uint64(limit)) >> _32)


@njit(cache=True)
def carve(stream, walls, walk):
    """Opens a room in `walls [H, W] bool` by a walk of `walk` steps; the border stays closed."""
    height, width = walls.shape
    walls[:] = True
    y, x = 1 + below(stream, height - 2), 1 + below(stream, width - 2)
    direction = below(stream, 4)
    for _ in range(walk):
        if below(stream, 100) < TURN_PERCENT:
            direction = below(stream, 4)
        y = min(max(y + _STEPS[direction, 0], 1), height - 2)
        x = min(max(x + _STEPS[direction, 1], 1), width - 2)
        mask = _MASKS[below(stream, len(_MASKS))]
        for k in range(4):
            row, column = y + mask[k, 0], x + mask[k, 1]
            if 0 < row < height - 1 and 0 < column < width - 1:
                walls[row, column] = False


@njit(cache=True)
def place(stream, walls, cells):
    """Fills `cells` with distinct random open cells; False if the room has too few."""
    floor = np.flatnonzero(~walls.ravel())
    if len(floor) < len(cells):
        return False
    for i in range(len(cells)):
        j = i + below(stream, len(floor) - i)
        floor[i], floor[j] = floor[j], floor[i]
        cells[i] = floor[i]
    return True


@njit(cache=True)
def stroll(stream, closed, player):
    """A random open cell that the player can walk to, by `closed [H, W] bool`; changes `closed`."""
    width = closed.shape[1]
    cells = np.empty(closed.size, np.int64)
    cells[0], count, read = player, 1, 0
    blocked = closed.ravel()
    blocked[player] = True
    while read < count:
        for k in range(4):
            cell = cells[read] + _STEPS[k, 0] * width + _STEPS[k, 1]
            if not blocked[cell]:
                blocked[cell] = True
                cells[count] = cell
                count += 1
        read += 1
    return cells[below(stream, count)]


@njit(cache=True)
def insert(table, key):
    """Adds `key` to a hash set (`[2^n] uint64`, 0 means empty); False if it was there."""
    mask = np.uint64(len(table) - 1)
    slot = key & mask
    while table[slot] != 0:
        if table[slot] == key:
            return False
        slot = (slot + np.uint64(1)) & mask
    table[slot] = key
    return True


@njit(cache=True)
def _displacement(cells, goals, is_goal, width):
    """Summed distance of boxes from their own goals; 0 if any, or the player, stands on one."""
    total = 0
    for i in range(len(goals)):
        if is_goal[cells[i]]:
            return 0
        total += abs(cells[i] // width - goals[i] // width)
        total += abs(cells[i] % width - goals[i] % width)
    return 0 if is_goal[cells[-1]] else total


@njit(cache=True)
def _step(cells, occupant, keys, move, box):
    """Steps the player by `move`, and box number `box` (-1: none) after it into the cell it left.

    `cells [N+1]` are those of the boxes and the player, `occupant [H*W]` the box on each cell or
    -1; both are changed. Returns the change of the state's hash. With `move` negated and the box
    on the far side this does not undo itself: see `_undo`.
    """
    player = cells[-1]
    cells[-1] = player + move
    change = keys[0, player] ^ keys[0, player + move]
    if box >= 0:
        behind = player - move
        occupant[behind], occupant[player], cells[box] = -1, box, player
        change ^= keys[1, behind] ^ keys[1, player]
    return change


@njit(cache=True)
def _undo(cells, occupant, keys, move, box):
    """Takes back `_step`; returns the change of the state's hash."""
    player = cells[-1] - move
    cells[-1] = player
    change = keys[0, player] ^ keys[0, player + move]
    if box >= 0:
        behind = player - move
        occupant[player], occupant[behind], cells[box] = -1, box, behind
        change ^= keys[1, behind] ^ keys[1, player]
    return change


@njit(cache=True)
def reverse_play(stream, walls, solved, keys, seen, cap, best):
    """Searches back from a solved room for the start of greatest score, and returns the score.

    Args:
      stream: random numbers.
      walls: `[H, W] bool`.
      solved: `[N+1]` cells of the targets, on which the boxes stand, and of the player.
      keys: `[2, H*W] uint64`, random numbers to hash the cells of player and boxes.
      seen: `[2^n] uint64`, room for a hash set of more than `cap` states.
      cap: how many states to visit.
      best: `[N+1]` receives the cells of boxes and player.
    """
    width = walls.shape[1]
    wall, goals, cells = walls.ravel(), solved[:-1], solved.copy()
    occupant = np.full(len(wall), -1)
    is_goal = np.zeros(len(wall), np.bool_)
    state = keys[0, solved[-1]]
    for i in range(len(goals)):
        occupant[goals[i]], is_goal[goals[i]] = i, True
        state ^= keys[1, goals[i]]
    seen[:] = 0
    insert(seen, state)
    # By depth, what led there and what was tried: the player's move, the box pulled (-1: none),
    # the one pulled last, how often that changed, how many actions are done, and their order.
    path = np.zeros((DEPTH_LIMIT + 1, 6), np.int64)
    path[0] = 0, -1, -1, 0, 0, below(stream, 32)
    depth, states, best_score = 0, 1, 0
    while states < cap:
        move, pulled, last, changes, done, order = path[depth]
        if done == 8 or depth == DEPTH_LIMIT:
            if depth == 0:
                break
            state ^= _undo(cells, occupant, keys, move, pulled)
            depth -= 1
            continue
        path[depth, 4] += 1
        action = (order + (2 * (order >> 3) + 1) * done) & 7
        move = _STEPS[action & 3, 0] * width + _STEPS[action & 3, 1]
        there, behind = cells[-1] + move, cells[-1] - move
        box = occupant[behind] if action >= 4 else -1
        if wall[there] or occupant[there] >= 0 or (action >= 4 and box < 0):
            continue
        state ^= _step(cells, occupant, keys, move, box)
        if not insert(seen, state):
            state ^= _undo(cells, occupant, keys, move, box)
            continue
        states, depth = states + 1, depth + 1
        if box >= 0 and box != last:
            last, changes = box, changes + 1
        path[depth] = move, box, last, changes, 0, below(stream, 32)
        if changes > 0:
            score = changes * _displacement(cells, goals, is_goal, width)
            if score > best_score:
                best_score = score
                best[:] = cells
    return best_score


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
def fill(boards, player, first, seed, held_out, keys, seen, cap, starts, known):
    """Makes levels number `first` and on; returns how many it could.

    Args:
      boards: `[3, L, H, W] bool`, receives walls, targets, boxes.
      player: `[L]`, receives the cells of the players.
      first, seed: decide, with a level's place in `boards`, its stream of random numbers.
      held_out: whether to make levels of the held-out split.
      keys, seen, cap: see `reverse_play`.
      starts: `[2, N+1] int64`, scratch.
      known: `[2^n] uint64`, hash set of the levels made before; these are added to it.
    """
    walls, targets, boxes = boards
    stream = np.zeros(1, np.uint64)
    for i in range(len(player)):
        stream[0] = mix(mix(np.uint64(seed) + GAMMA) + np.uint64(first + i))
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
    return len(player)
