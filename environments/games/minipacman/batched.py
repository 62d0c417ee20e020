"""MiniPacman's batched face: keys, episodes and time limits over `batched_rules`."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from environments.base import EnvironmentSpec, TimeStep
from environments.games.minipacman import batched_rules, draws, rules
from environments.games.minipacman.batched_rules import BatchedEvents, Position
from environments.games.minipacman.draws import NUM_PLACE_WORDS, NUM_WORDS
from environments.games.minipacman.modes import MODES
from environments.games.minipacman.observations import observe
from environments.games.minipacman.registration import MiniPacmanOptions
from environments.games.minipacman.spec import minipacman_spec

_CHOICES = 2  # words for the level and the time limit of an episode
_PAIRS = (NUM_WORDS + _CHOICES) // 2  # a key gives two words


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class MiniPacmanState:
    """`B` episodes. Every array is `[B, ...]`."""

    position: Position
    time: jax.Array  # [B] int32, steps since the FIRST
    time_limit: jax.Array  # [B] int32
    is_last: jax.Array  # [B] bool
    key: jax.Array  # [B] PRNG keys, for what comes


@partial(jax.tree_util.register_dataclass, data_fields=[], meta_fields=["options"])
@dataclass(frozen=True)
class BatchedMiniPacman:
    """The batched face of MiniPacman: same game, spec and options as `environment.MiniPacman`."""

    options: MiniPacmanOptions

    @classmethod
    def from_options(cls, options: MiniPacmanOptions) -> "BatchedMiniPacman":
        """The environment with these options."""
        return cls(options)

    @property
    def spec(self) -> EnvironmentSpec:
        """See `BatchedEnvironment`."""
        return minipacman_spec(self.options)

    @property
    def num_levels(self) -> int:
        """See `BatchedEnvironment`."""
        low, high = self.options.start_level
        return high - low + 1

    def reset(self, key: jax.Array, batch: int) -> tuple[MiniPacmanState, TimeStep]:
        """See `BatchedEnvironment.reset`."""
        keys, words = _drawn(jax.random.split(key, batch))
        level, limit = self._chosen(words)
        return self._first(batched_rules.begin(level, words[:, -NUM_PLACE_WORDS:]), limit, keys)

    def start(self, key: jax.Array, levels: jax.Array) -> tuple[MiniPacmanState, TimeStep]:
        """See `BatchedEnvironment.start`; where things lie is drawn from `key`."""
        keys, words = _drawn(jax.random.split(key, levels.shape[0]))
        level = self.options.start_level[0] + levels.astype(jnp.int32)
        limit = jnp.full_like(level, self.options.time_limit[1])
        return self._first(batched_rules.begin(level, words[:, -NUM_PLACE_WORDS:]), limit, keys)

    def step(self, state: MiniPacmanState, action: jax.Array) -> tuple[MiniPacmanState, TimeStep]:
        """See `BatchedEnvironment.step`."""
        keys, words = _drawn(state.key)
        level, limit = self._chosen(words)
        was_last = state.is_last
        position, events = self.advance(
            state.position, action, words[:, _CHOICES:], was_last, level
        )
        time = jnp.where(was_last, 0, state.time + 1)
        limit = jnp.where(was_last, limit, state.time_limit)
        is_last = ~was_last & (events.caught | (time >= limit))
        reward = batched_rules.reward(MODES[self.options.mode], events)
        timestep = TimeStep(
            observation=self._observe(position),
            reward=jnp.where(was_last, 0.0, reward).astype(jnp.float32),
            discount=jnp.where(events.caught & ~was_last, 0.0, 1.0).astype(jnp.float32),
            is_first=was_last,
            is_last=is_last,
            info={"outcome": events.caught.astype(jnp.int32)},
        )
        return MiniPacmanState(position, time, limit, is_last, keys), timestep

    def advance(
        self,
        position: Position,
        action: jax.Array,
        words: jax.Array,
        anew: jax.Array,
        level: jax.Array,
    ) -> tuple[Position, BatchedEvents]:
        """One step under `words [B, NUM_WORDS] uint32`; of episodes `anew [B]`, level `level`."""
        moved, events = batched_rules.apply(
            MODES[self.options.mode], position, action, words[:, :-NUM_PLACE_WORDS]
        )
        following = jnp.minimum(position.level + 1, rules.MAX_LEVEL)
        fresh = batched_rules.begin(jnp.where(anew, level, following), words[:, -NUM_PLACE_WORDS:])
        return _select(anew | events.next_level, fresh, moved), events

    def _chosen(self, words: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Level and time limit of episodes that begin, `[B] int32`, from their random words."""
        low, high = self.options.time_limit
        limit = low + (words[:, 0] % (high - low + 1)).astype(jnp.int32)
        level = self.options.start_level[0] + draws.index(words[:, 1], self.num_levels)
        return level.astype(jnp.int32), limit

    def _first(
        self, position: Position, limit: jax.Array, keys: jax.Array
    ) -> tuple[MiniPacmanState, TimeStep]:
        zeros = jnp.zeros_like(limit)
        false = zeros.astype(bool)
        timestep = TimeStep(
            observation=self._observe(position),
            reward=zeros.astype(jnp.float32),
            discount=jnp.ones_like(limit, jnp.float32),
            is_first=~false,
            is_last=false,
            info={"outcome": zeros},
        )
        return MiniPacmanState(position, zeros, limit, false, keys), timestep

    def _observe(self, position: Position) -> dict[str, jax.Array]:
        return observe(self.options.observations, batched_rules.layers(position), jnp)


def _drawn(keys: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Keys for what comes, and random words `[B, _CHOICES + NUM_WORDS] uint32` for now.

    Both words of every hash are used.
    """
    folded = jax.vmap(jax.vmap(jax.random.fold_in, (None, 0)), (0, None))(
        keys, jnp.arange(1 + _PAIRS)
    )
    words = jax.random.key_data(folded[:, 1:]).reshape(keys.shape[0], -1)
    return folded[:, 0], words


def _select(condition: jax.Array, a: Position, b: Position) -> Position:
    """Maze by maze, `a` where `condition [B]` holds, else `b`."""

    def choose(x, y):
        return jnp.where(condition.reshape(-1, *[1] * (x.ndim - 1)), x, y)

    return jax.tree.map(choose, a, b)
