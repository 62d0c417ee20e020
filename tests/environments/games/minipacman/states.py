"""Moments of play from drawings, random words, and play itself, for the tests."""

from dataclasses import replace

import numpy as np

from environments.games.minipacman import draws, rules
from environments.games.minipacman.maze import WALLS, WIDTH
from environments.games.minipacman.modes import MODES, Mode
from environments.games.minipacman.rules import Events, Ghost, State

STAY, RIGHT, UP, LEFT, DOWN = range(5)
MOVE, REST = 0, 2**32 - 1  # words under which a ghost moves, and does not (below level 6)
STRAIGHT = 2**32 - 1  # a word under which a ghost does not stray
REGULAR = MODES["regular"]


def at(row: int, column: int) -> int:
    """The cell in a row and a column."""
    return row * WIDTH + column


def state(
    player: int,
    *ghosts: tuple[int, int],
    food: tuple[int, ...] = (at(13, 17),),
    pills: tuple[int, ...] = (at(13, 16),),
    power: int = 0,
    level: int = 1,
    level_steps: int = 0,
) -> State:
    """A moment with ghosts (cell, direction), and with food and pills on these cells alone."""
    boards = []
    for cells in (food, pills):
        board = np.zeros_like(WALLS)
        board.flat[list(cells)] = True
        boards.append(board)
    return State(
        boards[0], boards[1], player, tuple(Ghost(*ghost) for ghost in ghosts),
        power, level, level_steps,
    )  # fmt: skip


def words(*ghosts: tuple[int, int], places: int = 0) -> np.ndarray:
    """Words for the ghosts one by one; all further ghosts rest. Every place gets `places`."""
    found = np.full(draws.NUM_WORDS, REST, np.uint32)
    for index, pair in enumerate(ghosts):
        found[2 * index : 2 * index + 2] = pair
    found[-draws.NUM_PLACE_WORDS :] = places
    return found


def drawn(rng: np.random.Generator, count: int = draws.NUM_WORDS) -> np.ndarray:
    """Random words."""
    return rng.integers(2**32, size=count, dtype=np.uint32)


def anything(rng: np.random.Generator, level: int) -> State:
    """A moment that play seldom reaches: power, little food, pills and ghosts near, time gone."""
    began = rules.begin(level, drawn(rng, draws.NUM_PLACE_WORDS))
    food = began.food & (rng.random(began.food.shape) < rng.choice([0.01, 1.0]))
    pills = np.zeros_like(food)
    (row, column), reach = divmod(began.player, WIDTH), int(rng.choice([3, 19]))
    near = ~WALLS
    near[: max(row - reach, 0)] = near[row + reach + 1 :] = False
    near[:, : max(column - reach, 0)] = near[:, column + reach + 1 :] = False
    near.flat[began.player] = False
    cells = np.flatnonzero(near)
    pills.flat[rng.choice(cells, 2, replace=False)] = True
    power, level_steps = max(int(rng.integers(-20, 21)), 0), int(rng.choice([0, 70]))
    ghosts = tuple(Ghost(int(rng.choice(cells))) for _ in began.ghosts) if power else began.ghosts
    return replace(
        began, food=food, pills=pills, ghosts=ghosts, power=power, level_steps=level_steps
    )


def play(mode: Mode, seed: int, steps: int, *, level: int = 1):
    """Yields (before, action, words, after, events) of random play until the player is caught."""
    rng = np.random.default_rng(seed)
    before, direction = anything(rng, level), 0
    for _ in range(steps):
        # In stretches, so that it comes around.
        direction = int(rng.integers(5)) if rng.random() < 0.3 else direction
        chance = drawn(rng)
        after, events = rules.apply(mode, before, direction, chance)
        yield before, direction, chance, after, events
        if events.caught:
            return
        before = after


def total(mode: Mode, happened: list[Events]) -> float:
    """What `happened` is worth, counted by hand."""
    return (
        mode.step * len(happened)
        + mode.food * sum(events.food for events in happened)
        + mode.pill * sum(events.pills for events in happened)
        + mode.ghost * sum(events.ghosts for events in happened)
        + mode.caught * sum(events.caught for events in happened)
    )
