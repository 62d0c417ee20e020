"""MiniPacman's rules as pure JAX functions over many mazes at once: the game of `rules`.

Shape letters: `B` mazes, `G` ghosts (the most that a level has), `K` words of a bitboard.
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from environments.games import bitboards
from environments.games.minipacman import draws, rules
from environments.games.minipacman.draws import GHOST_WORDS, MAX_GHOSTS, PLACES
from environments.games.minipacman.maze import (
    DIRECTIONS,
    FAR,
    FAR_COUNT,
    FREE,
    HEIGHT,
    NUM_CELLS,
    OFFSETS,
    OPEN,
    WALLS,
    WIDTH,
)
from environments.games.minipacman.modes import Mode
from environments.games.minipacman.rules import NOWHERE
from environments.games.sokoban.level import pack_bits

_FOOD = pack_bits(~WALLS[None])[0]  # [K] uint32
_WORDS = len(_FOOD)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Position:
    """`B` moments of play, as in `rules.State`. Every array is `[B, ...]`."""

    food: jax.Array  # [B, K] uint32
    pills: jax.Array  # [B, 2] int32, cells; NOWHERE for one that was eaten
    player: jax.Array  # [B] int32, cell
    ghosts: jax.Array  # [B, G] int32, cells; NOWHERE for one that is not there
    directions: jax.Array  # [B, G] int32
    power: jax.Array  # [B] int32
    level: jax.Array  # [B] int32, from 1
    level_steps: jax.Array  # [B] int32


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class BatchedEvents:
    """What happened in one step, as in `rules.Events`. Every array is `[B] bool`."""

    food: jax.Array
    pills: jax.Array
    ghosts: jax.Array
    caught: jax.Array
    next_level: jax.Array


def begin(level: jax.Array, words: jax.Array) -> Position:
    """Levels `[B]` as they begin, placed by `words [B, draws.NUM_PLACE_WORDS] uint32`."""
    total, but_one, but_two = (np.uint32(len(FREE) - fewer) for fewer in range(3))
    start = draws.index(words[:, 0], total)
    one = start + 1 + draws.index(words[:, 1], but_one)
    one = jnp.where(one >= total, one - total, one)
    other = draws.index(words[:, 2], but_two)
    low, high = jnp.minimum(start, one), jnp.maximum(start, one)
    other += (other >= low).astype(jnp.uint32)
    other += (other >= high).astype(jnp.uint32)
    free, far = jnp.asarray(FREE), jnp.asarray(FAR)
    choices = jnp.asarray(FAR_COUNT)[start].astype(jnp.uint32)[:, None]
    ghosts = far[start[:, None], draws.index(words[:, PLACES:], choices)]
    present = jnp.arange(MAX_GHOSTS) < 1 + (level[:, None] - 1) // 2
    player, zeros = free[start], jnp.zeros_like(level)
    return Position(
        food=jnp.asarray(_FOOD) & ~bitboards.bit(player, _WORDS),
        pills=free[jnp.stack([one, other], axis=-1)],
        player=player,
        ghosts=jnp.where(present, ghosts, NOWHERE),
        directions=jnp.zeros_like(ghosts),
        power=zeros,
        level=level,
        level_steps=zeros,
    )


def apply(
    mode: Mode, position: Position, action: jax.Array, words: jax.Array
) -> tuple[Position, BatchedEvents]:
    """The positions after `action [B]`, before any next level begins, and what happened.

    `words [B, GHOST_WORDS * G] uint32` are random.
    """
    offset = _by_direction(action, OFFSETS)
    leads_on = (jnp.asarray(OPEN)[position.player] >> action) & 1
    player = position.player + leads_on * offset
    here = bitboards.bit(player, _WORDS)
    food = bitboards.overlap(position.food, here)
    on_pill = position.pills == player[:, None]
    pill = jnp.any(on_pill, axis=-1)
    powered = pill | (position.power > 0)

    ghosts, eaten = _eat(position.ghosts, player, powered)
    caught = ~powered & jnp.any(ghosts == player[:, None], axis=-1)
    moved, directions = _move(position, ghosts, player, powered, words)
    ghosts = jnp.where(caught[:, None], ghosts, moved)
    directions = jnp.where(caught[:, None], position.directions, directions)
    ghosts, then_eaten = _eat(ghosts, player, powered & ~eaten)
    caught |= ~powered & jnp.any(ghosts == player[:, None], axis=-1)

    after = replace(
        position,
        food=position.food & ~here,
        pills=jnp.where(on_pill, NOWHERE, position.pills),
        player=player,
        ghosts=ghosts,
        directions=directions,
        power=jnp.where(pill, rules.POWER_STEPS, jnp.maximum(position.power - 1, 0)),
        level_steps=position.level_steps + 1,
    )
    next_level = ~caught & _complete(mode, after)
    return after, BatchedEvents(food, pill, eaten | then_eaten, caught, next_level)


def reward(mode: Mode, events: BatchedEvents) -> jax.Array:
    """What a step is worth in which `events` happened: `[B] float32`."""
    return (
        mode.step
        + mode.food * events.food.astype(jnp.float32)
        + mode.pill * events.pills
        + mode.ghost * events.ghosts
        + mode.caught * events.caught
    )


def layers(position: Position) -> tuple[jax.Array, ...]:
    """The abstract states, `[B, H, W] bool` for each of `rules.PLANES`, in their order."""
    pills, ghosts = (
        jnp.bitwise_or.reduce(bitboards.bit(cells, _WORDS), axis=1)
        for cells in (position.pills, position.ghosts)
    )
    quarters = rules.shade(position.power)[:, None]
    kinds = (jnp.where(quarters == k, ghosts, 0) for k in range(rules.SHADES + 1))
    player = bitboards.bit(position.player, _WORDS)
    walls = jnp.broadcast_to(jnp.asarray(WALLS), (len(player), *WALLS.shape))
    return (walls, *map(_unpacked, (position.food, pills, player, *kinds)))


def _unpacked(board: jax.Array) -> jax.Array:
    cells = bitboards.bits(board).reshape(len(board), -1)[:, :NUM_CELLS]
    return cells.reshape(-1, HEIGHT, WIDTH).astype(bool)


def _by_direction(direction: jax.Array, values) -> jax.Array:
    """`values[direction]`, by selection, which XLA does faster than looking up."""
    chosen = jnp.zeros_like(direction)
    for each in DIRECTIONS:
        chosen = jnp.where(direction == each, values[each], chosen)
    return chosen


def _eat(ghosts: jax.Array, player: jax.Array, may: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The ghosts without the first at the player's cell where one `may [B]` be eaten; if it was."""
    order = jnp.arange(MAX_GHOSTS, dtype=jnp.int32)
    touching = (ghosts == player[:, None]) & may[:, None]
    first = jnp.min(jnp.where(touching, order, MAX_GHOSTS), axis=-1)
    return jnp.where(order == first[:, None], NOWHERE, ghosts), first < MAX_GHOSTS


def _move(
    position: Position,
    ghosts: jax.Array,
    player: jax.Array,
    powered: jax.Array,
    words: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Cells and directions `[B, G]` of the `ghosts` after their move."""
    words = words.reshape(-1, MAX_GHOSTS, GHOST_WORDS)
    tenths = jnp.minimum(4 + position.level, 10).astype(jnp.uint32)[:, None]
    goes = draws.moves(words[..., 0], tenths, powered.astype(jnp.uint32)[:, None])
    goes &= ghosts != NOWHERE
    before = position.directions
    back = jnp.where(before > 0, (before + 1) % 4 + 1, 0)
    ways = jnp.asarray(OPEN)[jnp.maximum(ghosts, 0)] & ~(1 << back)
    stray = draws.strays(words[..., 1]) & ~powered[:, None]
    chosen = jnp.where(
        stray,
        _strayed(ways, words[..., 1]),
        _steered(ways, ghosts, player[:, None], powered[:, None]),
    )
    directions = jnp.where(goes, chosen, before)
    return jnp.where(goes, ghosts + _by_direction(chosen, OFFSETS), ghosts), directions


def _strayed(ways: jax.Array, word: jax.Array) -> jax.Array:
    """One of the ways, bits `[B, G] int32`, by chance."""
    choices = jax.lax.population_count(ways).astype(jnp.uint32)
    left = draws.stray_index(word, choices).astype(jnp.int32)
    chosen = jnp.zeros_like(ways)
    for direction in DIRECTIONS:
        is_way = ways >> direction & 1
        chosen = jnp.where((is_way == 1) & (left == 0), direction, chosen)
        left -= is_way
    return chosen


def _steered(
    ways: jax.Array, ghosts: jax.Array, player: jax.Array, powered: jax.Array
) -> jax.Array:
    """Of the ways that which leads most directly to the player, or with power away."""
    down, right = player // WIDTH - ghosts // WIDTH, player % WIDTH - ghosts % WIDTH
    sign = jnp.where(powered, -1, 1)
    down, right = sign * down, sign * right
    best, chosen = jnp.full_like(ways, -NUM_CELLS), jnp.zeros_like(ways)
    for direction, nearness in zip(DIRECTIONS, (right, -down, -right, down), strict=True):
        better = ((ways >> direction & 1) == 1) & (nearness > best)
        best = jnp.where(better, nearness, best)
        chosen = jnp.where(better, direction, chosen)
    return chosen


def _complete(mode: Mode, position: Position) -> jax.Array:
    goal = {
        "food": jnp.all(position.food == 0, axis=-1),
        "ghosts": jnp.all(position.ghosts == NOWHERE, axis=-1),
        "pills": jnp.all(position.pills == NOWHERE, axis=-1),
    }[mode.goal]
    if not mode.level_steps:
        return goal
    return goal | (position.level_steps >= mode.level_steps)
