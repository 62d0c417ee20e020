"""Sokoban's rules as pure functions of immutable states; rewards as in I2A (1707.06203)."""

from dataclasses import dataclass, replace

import numpy as np

from environments.games.sokoban.level import Level

ACTIONS = ("up", "down", "left", "right", "noop")
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0))  # row, column; by action
PLANES = ("wall", "target", "player", "box")  # the order of board planes, everywhere
OUTCOMES = ("solved", "unsolved")

STEP_REWARD = -0.1
BOX_REWARD = 1.0  # for every box that comes onto a target; its negative for one that leaves
SOLVED_REWARD = 10.0  # beside the box reward of the last push


@dataclass(frozen=True, eq=False)
class State:
    """A position of one level."""

    level: Level
    boxes: np.ndarray  # [H, W] bool, never written to
    player: tuple[int, int]  # row, column


def initial_state(level: Level) -> State:
    """The state in which `level` starts."""
    return State(level, level.boxes, level.player)


def apply(state: State, action: int) -> State:
    """The state after `action`, an index into ACTIONS; the same one if the move is blocked."""
    (row, column), (dy, dx) = state.player, MOVES[action]
    ahead, beyond = (row + dy, column + dx), (row + 2 * dy, column + 2 * dx)
    if action == ACTIONS.index("noop") or state.level.walls[ahead]:
        return state
    if not state.boxes[ahead]:
        return replace(state, player=ahead)
    if state.level.walls[beyond] or state.boxes[beyond]:
        return state
    boxes = state.boxes.copy()
    boxes[ahead], boxes[beyond] = False, True
    return replace(state, boxes=boxes, player=ahead)


def legal_actions(state: State) -> tuple[int, ...]:
    """The actions that change the state."""
    return tuple(a for a in range(4) if apply(state, a) is not state)


def boxes_on_target(state: State) -> int:
    """How many boxes stand on a target."""
    return int(np.sum(state.boxes & state.level.targets))


def solved(state: State) -> bool:
    """Whether every box stands on a target."""
    return not np.any(state.boxes & ~state.level.targets)


def reward(before: State, after: State) -> float:
    """The reward of a step from `before` to `after`."""
    change = boxes_on_target(after) - boxes_on_target(before)
    return STEP_REWARD + BOX_REWARD * change + (SOLVED_REWARD if solved(after) else 0.0)


def planes(state: State) -> np.ndarray:
    """The abstract state, `[H, W, 4] bool`, in the order of PLANES; not one-hot."""
    player = np.zeros_like(state.boxes)
    player[state.player] = True
    return np.stack([state.level.walls, state.level.targets, player, state.boxes], axis=-1)


def state_of(planes: np.ndarray) -> State | None:
    """The state that planes `[H, W, 4] bool` show; None if they show none.

    There must be one player, and at least one box, as many as targets; players and boxes on cells
    of their own that are no wall, and walls all around.
    """
    wall, target, player, box = (planes[..., i] for i in range(len(PLANES)))
    edge = np.ones_like(wall)
    edge[1:-1, 1:-1] = False
    solid = wall | edge
    crowded = np.any(player & (solid | box)) or np.any((box | target) & solid)
    if crowded or player.sum() != 1 or not 0 < target.sum() == box.sum():
        return None
    row, column = np.argwhere(player)[0].tolist()
    boxes = box.copy()
    return State(Level(solid, target.copy(), boxes, (row, column)), boxes, (row, column))
