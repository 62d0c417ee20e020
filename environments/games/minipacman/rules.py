"""MiniPacman's rules as pure functions of immutable states and random words.

`environment.MiniPacman` says in prose what is played.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from environments.games.minipacman import draws
from environments.games.minipacman.draws import GHOST_WORDS, MAX_GHOSTS
from environments.games.minipacman.maze import (
    DIRECTIONS,
    FAR,
    FAR_COUNT,
    FREE,
    MOVES,
    OFFSETS,
    OPEN,
    WALLS,
    WIDTH,
)
from environments.games.minipacman.modes import MAX_LEVEL, Mode

ACTIONS = ("stay", "right", "up", "left", "down")
OUTCOMES = ("survived", "caught")
POWER_STEPS = 20
SHADES = 4  # of edible ghosts: how much of the power is left, in quarters
# The order of board planes, everywhere: a ghost is on `ghost` if it is dangerous, else on
# `edible_k`, k quarters of the power being left, rounded up.
PLANES = ("wall", "food", "pill", "player", "ghost", *(f"edible_{k + 1}" for k in range(SHADES)))
NOWHERE = -1  # the cell of a ghost that was eaten


@dataclass(frozen=True)
class Ghost:
    """One ghost."""

    cell: int  # NOWHERE once it was eaten
    direction: int = 0  # in which it moved last; 0 before its first move


@dataclass(frozen=True, eq=False)
class State:
    """A moment of play."""

    food: np.ndarray  # [H, W] bool, never written to
    pills: np.ndarray  # [H, W] bool, never written to
    player: int  # cell
    ghosts: tuple[Ghost, ...]  # also those that were eaten
    power: int  # further steps in which ghosts can be eaten
    level: int  # from 1
    level_steps: int  # since the level began


@dataclass(frozen=True)
class Events:
    """What happened in one step."""

    food: int  # pieces eaten, 0 or 1
    pills: int  # likewise
    ghosts: int  # likewise
    caught: bool
    next_level: bool


def num_ghosts(level: int) -> int:
    """How many ghosts a level has."""
    return 1 + (level - 1) // 2


def tempo(level: int) -> int:
    """In how many of ten steps a ghost moves, on average, while there is no power."""
    return min(4 + level, 10)


def begin(level: int, words: Sequence[int] | np.ndarray) -> State:
    """A level as it begins, placed by the `draws.NUM_PLACE_WORDS` random `words`."""
    player, first, second, *ghosts = (int(word) for word in words)
    count = len(FREE)
    start = draws.index(player, count)
    one = (start + 1 + draws.index(first, count - 1)) % count
    other = draws.index(second, count - 2)  # among the cells but these two
    for taken in sorted((start, one)):
        other += other >= taken
    food, pills = ~WALLS, np.zeros_like(WALLS)
    food.flat[FREE[start]] = False
    pills.flat[FREE[[one, other]]] = True
    cells = [int(FAR[start, draws.index(word, int(FAR_COUNT[start]))]) for word in ghosts]
    present = tuple(Ghost(cell) for cell in cells[: num_ghosts(level)])
    return State(food, pills, int(FREE[start]), present, power=0, level=level, level_steps=0)


def apply(
    mode: Mode, state: State, action: int, words: Sequence[int] | np.ndarray
) -> tuple[State, Events]:
    """The state after `action`, an index into ACTIONS, and what happened.

    `words` are `draws.NUM_WORDS` uniform random numbers below 2^32.
    """
    player = state.player + OFFSETS[action]
    player = state.player if WALLS.flat[player] else player
    food, pill = bool(state.food.flat[player]), bool(state.pills.flat[player])
    powered = pill or state.power > 0
    ghosts, eaten = _eat(state.ghosts, player) if powered else (state.ghosts, 0)
    caught = not powered and _touched(ghosts, player)
    if not caught:
        ghosts = tuple(
            _moved(
                ghost,
                player,
                tempo(state.level),
                powered,
                words[GHOST_WORDS * i : GHOST_WORDS * (i + 1)],
            )
            for i, ghost in enumerate(ghosts)
        )
        caught = not powered and _touched(ghosts, player)
        if powered and not eaten:
            ghosts, eaten = _eat(ghosts, player)
    after = replace(
        state,
        food=_without(state.food, player),
        pills=_without(state.pills, player),
        player=player,
        ghosts=ghosts,
        power=POWER_STEPS if pill else max(state.power - 1, 0),
        level_steps=state.level_steps + 1,
    )
    next_level = not caught and _complete(mode, after)
    if next_level:
        after = begin(min(state.level + 1, MAX_LEVEL), words[GHOST_WORDS * MAX_GHOSTS :])
    return after, Events(int(food), int(pill), eaten, caught, next_level)


def reward(mode: Mode, events: Events) -> float:
    """What a step is worth in which `events` happened."""
    return (
        mode.step
        + mode.food * events.food
        + mode.pill * events.pills
        + mode.ghost * events.ghosts
        + mode.caught * events.caught
    )


def layers(state: State) -> tuple[np.ndarray, ...]:
    """The abstract state, `[H, W] bool` for each of PLANES, in their order."""
    player, ghosts = np.zeros_like(WALLS), np.zeros_like(WALLS)
    player.flat[state.player] = True
    ghosts.flat[[ghost.cell for ghost in state.ghosts if ghost.cell != NOWHERE]] = True
    quarters = shade(state.power)
    kinds = (ghosts & (quarters == k) for k in range(SHADES + 1))
    return (WALLS, state.food, state.pills, player, *kinds)


def planes(state: State) -> np.ndarray:
    """The abstract state, `[H, W, C] bool`, in the order of PLANES."""
    return np.stack(layers(state), axis=-1)


def shade(power: Any) -> Any:
    """How many quarters of the power are left, rounded up; numbers and arrays alike."""
    quarter = POWER_STEPS // SHADES
    return (power + quarter - 1) // quarter


def _touched(ghosts: tuple[Ghost, ...], cell: int) -> bool:
    return any(ghost.cell == cell for ghost in ghosts)


def _eat(ghosts: tuple[Ghost, ...], cell: int) -> tuple[tuple[Ghost, ...], int]:
    """The ghosts without the first of those at `cell`, and how many that is."""
    for i, ghost in enumerate(ghosts):
        if ghost.cell == cell:
            return (*ghosts[:i], replace(ghost, cell=NOWHERE), *ghosts[i + 1 :]), 1
    return ghosts, 0


def _moved(
    ghost: Ghost, player: int, tempo: int, powered: bool, words: Sequence[int] | np.ndarray
) -> Ghost:
    move, stray = (int(word) for word in words)
    if ghost.cell == NOWHERE or not draws.moves(move, tempo, int(powered)):
        return ghost
    back = (ghost.direction + 1) % 4 + 1 if ghost.direction else 0
    ways = [d for d in DIRECTIONS if OPEN[ghost.cell] >> d & 1 and d != back]
    if not powered and draws.strays(stray):
        direction = ways[draws.stray_index(stray, len(ways))]
    else:
        (row, column), (to_row, to_column) = divmod(ghost.cell, WIDTH), divmod(player, WIDTH)
        sign = -1 if powered else 1

        def nearness(way: int) -> int:
            dy, dx = MOVES[way]
            return sign * (dy * (to_row - row) + dx * (to_column - column))

        direction = max(ways, key=nearness)  # the first of the best
    return Ghost(ghost.cell + OFFSETS[direction], direction)


def _without(board: np.ndarray, cell: int) -> np.ndarray:
    if not board.flat[cell]:
        return board
    board = board.copy()
    board.flat[cell] = False
    return board


def _complete(mode: Mode, state: State) -> bool:
    """Whether the next level begins."""
    if mode.level_steps and state.level_steps >= mode.level_steps:
        return True
    if mode.goal == "ghosts":
        return all(ghost.cell == NOWHERE for ghost in state.ghosts)
    return not (state.food if mode.goal == "food" else state.pills).any()
