"""Sokoban as pure JAX functions over many boards at once, on bitboards.

A board is `K` 32-bit words, one bit a cell (see `level.pack_bits`), so that a step is a handful
of word operations without gather or scatter; planes are unpacked only for the observation.
"""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from environments.base import EnvironmentSpec, TimeStep
from environments.games.bitboards import bit, bits, count, overlap
from environments.games.sokoban import rules
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.observations import observe
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.sources import load_levels
from environments.games.sokoban.spec import sokoban_spec


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SokobanState:
    """`B` positions. Every array is `[B, ...]`."""

    walls: jax.Array  # [B, K] uint32
    targets: jax.Array  # [B, K] uint32
    boxes: jax.Array  # [B, K] uint32
    player: jax.Array  # [B] int32, row * W + column
    level: jax.Array  # [B] int32, index into the level set
    time: jax.Array  # [B] int32, steps since the FIRST
    time_limit: jax.Array  # [B] int32
    is_last: jax.Array  # [B] bool
    key: jax.Array  # [B] PRNG keys; one for the next level and time limit


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["table"],
    meta_fields=["shape", "options"],
)
@dataclass(frozen=True)
class BatchedSokoban:
    """The batched face of Sokoban: same game, spec and options as `environment.Sokoban`.

    A pytree whose only leaf is the level table; pass it to jitted functions as an argument.
    """

    table: jax.Array  # [L, 3K + 1] uint32: walls, targets, boxes, player
    shape: tuple[int, int]  # H, W
    options: SokobanOptions

    @classmethod
    def from_options(cls, options: SokobanOptions) -> "BatchedSokoban":
        """Loads the level source that `options` names. Raises UserError if it is wrong."""
        return cls.from_levels(load_levels(options.levels, options.board), options)

    @classmethod
    def from_levels(cls, levels: LevelSet, options: SokobanOptions) -> "BatchedSokoban":
        """The environment over the given levels; `options.levels` is not looked at."""
        player = levels.player[:, None].astype(np.uint32)
        table = np.concatenate([levels.walls, levels.targets, levels.boxes, player], axis=1)
        return cls(jnp.asarray(table), levels.shape, options)

    @property
    def spec(self) -> EnvironmentSpec:
        """See `BatchedEnvironment`."""
        return sokoban_spec(self.shape, self.options)

    @property
    def num_levels(self) -> int:
        """See `BatchedEnvironment`."""
        return self.table.shape[0]

    def reset(self, key: jax.Array, batch: int) -> tuple[SokobanState, TimeStep]:
        """See `BatchedEnvironment.reset`."""
        state = self._restart(jax.random.split(key, batch))
        return state, self._first(state)

    def start(self, key: jax.Array, levels: jax.Array) -> tuple[SokobanState, TimeStep]:
        """See `BatchedEnvironment.start`."""
        keys = jax.random.split(key, levels.shape[0])
        limit = jnp.full(levels.shape, self.options.time_limit[1], jnp.int32)
        state = self._at(levels.astype(jnp.int32), limit, keys)
        return state, self._first(state)

    def step(self, state: SokobanState, action: jax.Array) -> tuple[SokobanState, TimeStep]:
        """See `BatchedEnvironment.step`."""
        moved, change = _move(state, action, self.shape[1])
        time = state.time + 1
        solved = ~jnp.any((moved.boxes & ~moved.targets) != 0, axis=-1)
        is_last = solved | (time >= state.time_limit)
        reward = rules.STEP_REWARD + rules.BOX_REWARD * change + rules.SOLVED_REWARD * solved
        moved = replace(moved, time=time, is_last=is_last)

        was_last = state.is_last
        state = _select(was_last, self._restart(state.key), moved)
        timestep = TimeStep(
            observation=self._observe(state),
            reward=jnp.where(was_last, 0.0, reward).astype(jnp.float32),
            discount=jnp.where(solved & ~was_last, 0.0, 1.0).astype(jnp.float32),
            is_first=was_last,
            is_last=is_last & ~was_last,
            info={"outcome": jnp.where(solved, 0, 1).astype(jnp.int32)},
        )
        return state, timestep

    def _restart(self, keys: jax.Array) -> SokobanState:
        """Boards at levels and time limits drawn from `keys [B]`, one hash for each board."""
        keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, 1)
        words = jax.random.key_data(keys)  # [B, 2] uint32, the two random words of the hash
        low, high = self.options.time_limit
        limit = low + (words[:, 1] % (high - low + 1)).astype(jnp.int32)
        return self._at((words[:, 0] % self.num_levels).astype(jnp.int32), limit, keys)

    def _at(self, levels: jax.Array, limit: jax.Array, keys: jax.Array) -> SokobanState:
        rows = self.table[levels]
        walls, targets, boxes = jnp.split(rows[:, :-1], 3, axis=1)
        zeros = jnp.zeros_like(levels)
        return SokobanState(
            walls=walls,
            targets=targets,
            boxes=boxes,
            player=rows[:, -1].astype(jnp.int32),
            level=levels,
            time=zeros,
            time_limit=limit,
            is_last=zeros.astype(bool),
            key=keys,
        )

    def _first(self, state: SokobanState) -> TimeStep:
        batch = state.player.shape
        return TimeStep(
            observation=self._observe(state),
            reward=jnp.zeros(batch, jnp.float32),
            discount=jnp.ones(batch, jnp.float32),
            is_first=jnp.ones(batch, bool),
            is_last=jnp.zeros(batch, bool),
            info={"outcome": jnp.ones(batch, jnp.int32)},
        )

    def _observe(self, state: SokobanState) -> dict[str, jax.Array]:
        return observe(self.options.observations, board_planes(state, self.shape), jnp)


def board_planes(state: SokobanState, shape: tuple[int, int]) -> jax.Array:
    """The abstract states, `[B, H, W, 4] bool`, in the order of `rules.PLANES`.

    A cell is put together as one word, a byte for each plane, and the words are then read as
    bytes: the fastest of the ways that were measured, and this is most of a step's cost.
    """
    height, width = shape
    cell = jnp.arange(state.walls.shape[1] * 32).reshape(1, -1, 32)
    here = cell == state.player[:, None, None]  # [B, K, 32]
    planes = (bits(state.walls), bits(state.targets), here, bits(state.boxes))
    words = jnp.zeros(here.shape, jnp.uint32)
    for byte, plane in enumerate(planes):
        words |= plane.astype(jnp.uint32) << (8 * byte)
    words = words.reshape(len(words), -1)[:, : height * width].reshape(-1, height, width)
    return jax.lax.bitcast_convert_type(words, jnp.uint8).astype(bool)


def _move(state: SokobanState, action: jax.Array, width: int) -> tuple[SokobanState, jax.Array]:
    """The states after a move, and the change `[B]` in the number of boxes on targets."""
    offsets = jnp.array([dy * width + dx for dy, dx in rules.MOVES], jnp.int32)
    offset = jnp.zeros_like(state.player)
    for index in range(4):
        offset = jnp.where(action == index, offsets[index], offset)
    # The border is all wall: a cell beyond the board is never reached.
    words = state.walls.shape[1]
    ahead = bit(state.player + offset, words)
    beyond = bit(state.player + 2 * offset, words)
    push = overlap(ahead, state.boxes) & (offset != 0)
    blocked = push & overlap(beyond, state.walls | state.boxes)
    moves = ~overlap(ahead, state.walls) & ~blocked
    swap = jnp.where((moves & push)[:, None], ahead | beyond, jnp.uint32(0))
    boxes = state.boxes ^ swap
    player = jnp.where(moves, state.player + offset, state.player)
    before, after = count(state.boxes & state.targets), count(boxes & state.targets)
    return replace(state, boxes=boxes, player=player), after - before


def _select(condition: jax.Array, a: SokobanState, b: SokobanState) -> SokobanState:
    """Board by board, `a` where `condition [B]` holds, else `b`."""

    def choose(x, y):
        shape = condition.shape + (1,) * (x.ndim - 1)
        return jnp.where(condition.reshape(shape), x, y)

    return jax.tree.map(choose, a, b)
