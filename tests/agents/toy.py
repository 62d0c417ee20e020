"""A real environment that is learnt in seconds, and observations for the tests of agents.

Shape letters: `T` time, `B` environments.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from dm_env import specs

from agents.base import Agent, AgentState, Unroll
from agents.i2a.agent import make_with_model
from agents.i2a.config import I2AConfig
from agents.inputs import num_actions
from agents.models.base import EnvironmentModel, Imagined
from environments.base import EnvironmentSpec, Observation, TimeStep
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.spec import sokoban_spec

SIDE, LIMIT = 3, 4


def moves(action: jax.Array) -> jax.Array:
    """By how much an action moves the player, `[..., 2]`: up, down, left or right."""
    return jnp.array([(-1, 0), (1, 0), (0, -1), (0, 1)])[action]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ChaseState:
    player: jax.Array  # [B] int32, row * SIDE + column
    goal: jax.Array  # [B] int32
    time: jax.Array  # [B] int32
    is_last: jax.Array  # [B] bool
    key: jax.Array  # [B] PRNG keys


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Chase:
    """Walk onto the goal of a 3x3 board within four steps, which are always enough."""

    table: jax.Array  # [72, 2] int32: the player's and the goal's cells

    @classmethod
    def make(cls) -> "Chase":
        cells = range(SIDE * SIDE)
        return cls(jnp.array([(p, g) for p in cells for g in cells if p != g], jnp.int32))

    @property
    def spec(self) -> EnvironmentSpec:
        return EnvironmentSpec(
            observation={"planes": specs.Array((SIDE, SIDE, 2), bool, name="planes")},
            action=specs.DiscreteArray(4, dtype=np.int32, name="action"),
            outcomes=("reached", "late"),
        )

    @property
    def num_levels(self) -> int:
        return self.table.shape[0]

    def reset(self, key: jax.Array, batch: int) -> tuple[ChaseState, TimeStep]:
        state = self._restart(jax.random.split(key, batch))
        return state, self._first(state)

    def start(self, key: jax.Array, levels: jax.Array) -> tuple[ChaseState, TimeStep]:
        state = self._at(levels, jax.random.split(key, levels.shape[0]))
        return state, self._first(state)

    def step(self, state: ChaseState, action: jax.Array) -> tuple[ChaseState, TimeStep]:
        place = jnp.stack([state.player // SIDE, state.player % SIDE], axis=-1) + moves(action)
        row, column = jnp.clip(place, 0, SIDE - 1).T
        player, time = row * SIDE + column, state.time + 1
        reached = player == state.goal
        last = reached | (time >= LIMIT)
        moved = replace(state, player=player, time=time, is_last=last)
        was_last = state.is_last
        after = jax.tree.map(
            lambda new, old: jnp.where(was_last, new, old), self._restart(state.key), moved
        )
        timestep = TimeStep(
            observation=self._observe(after),
            reward=jnp.asarray(~was_last * (reached - 0.1), jnp.float32),
            discount=jnp.where(reached & ~was_last, 0.0, 1.0).astype(jnp.float32),
            is_first=was_last,
            is_last=last & ~was_last,
            info={"outcome": jnp.where(reached, 0, 1).astype(jnp.int32)},
        )
        return after, timestep

    def _restart(self, keys: jax.Array) -> ChaseState:
        keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(keys, 1)
        levels = jax.vmap(lambda key: jax.random.randint(key, (), 0, self.num_levels))(keys)
        return self._at(levels, keys)

    def _at(self, levels: jax.Array, keys: jax.Array) -> ChaseState:
        player, goal = self.table[levels].T
        time = jnp.zeros_like(player)
        return ChaseState(player, goal, time, time.astype(bool), keys)

    def _first(self, state: ChaseState) -> TimeStep:
        zeros = jnp.zeros(state.player.shape, jnp.float32)
        none = zeros.astype(bool)
        info = {"outcome": jnp.ones_like(state.player)}
        return TimeStep(self._observe(state), zeros, zeros + 1, ~none, none, info)

    def _observe(self, state: ChaseState) -> Observation:
        cells = jnp.arange(SIDE * SIDE).reshape(SIDE, SIDE)
        at = jnp.stack([state.player, state.goal], axis=-1)  # [B, 2]
        return {"planes": cells[None, :, :, None] == at[:, None, None, :]}


def chase_model() -> EnvironmentModel:
    """The rules of `Chase`, but for the time limit."""

    def step(params, frame: jax.Array, action: jax.Array, keys: jax.Array) -> Imagined:
        del params, keys
        flat = frame.reshape(-1, SIDE * SIDE, 2)
        player, goal = jnp.argmax(flat, axis=1).T
        place = jnp.stack([player // SIDE, player % SIDE], axis=-1) + moves(action)
        row, column = jnp.clip(place, 0, SIDE - 1).T
        moved = row * SIDE + column
        after = flat.at[:, :, 0].set(jnp.arange(SIDE * SIDE) == moved[:, None])
        reward = jnp.asarray(moved == goal, jnp.float32) - 0.1
        return Imagined(after.reshape(frame.shape), reward)

    return EnvironmentModel("planes", 4, lambda key: {}, step)


@dataclass(frozen=True)
class ChaseImagined(I2AConfig):
    """I2A that imagines the chase."""

    def make(self, spec: EnvironmentSpec, frames: int) -> Agent:
        return make_with_model(self, spec, chase_model(), frames)


def board_spec(*kinds: str, size: int = 10) -> EnvironmentSpec:
    """The spec of Sokoban on `size x size` boards that shows these kinds of observation."""
    return sokoban_spec((size, size), SokobanOptions(observations=kinds))


def random_observation(spec: EnvironmentSpec, seed: int, leading: tuple[int, ...]) -> Observation:
    """An observation of noise, each array of shape `leading` and then the spec's own."""
    rng = np.random.default_rng(seed)
    return {
        key: jnp.asarray(
            rng.integers(0, 2 if array.dtype == bool else 256, leading + tuple(array.shape)),
            array.dtype,
        )
        for key, array in spec.observation.items()
    }


def random_unroll(agent: Agent, spec: EnvironmentSpec, seed: int, time: int, batch: int) -> Unroll:
    """Noise of the right shapes; the first environment truncates after its first step."""
    rng = np.random.default_rng(seed)
    is_last = np.zeros((time + 1, batch), bool)
    is_last[1, 0] = True
    is_first = np.roll(is_last, 1, axis=0)
    return Unroll(
        observation=random_observation(spec, seed, (time + 1, batch)),
        is_first=jnp.asarray(is_first),
        is_last=jnp.asarray(is_last),
        action=jnp.asarray(rng.integers(0, num_actions(spec), (time, batch)), jnp.int32),
        reward=jnp.asarray(rng.normal(size=(time, batch)), jnp.float32),
        discount=jnp.ones((time, batch), jnp.float32),
        extras={"log_prob": jnp.asarray(rng.uniform(-2, -1, (time, batch)), jnp.float32)},
        core=agent.initial_core(batch),
    )


def randomised(params: Any, seed: int, scale: float = 0.3) -> Any:
    """Parameters of the same shapes, none of them zero, biases included."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda x: jnp.asarray(rng.normal(0, scale, x.shape), jnp.float32), params)


def noise_state(agent: Agent, seed: int) -> AgentState:
    """The state of an agent that begins with noise for parameters."""
    shapes = jax.eval_shape(agent.init, jax.random.key(0))
    # By NumPy: JAX would compile a program for every shape.
    zeros = jax.tree.map(lambda x: jnp.asarray(np.zeros(x.shape, x.dtype)), shapes)
    return replace(zeros, params=randomised(shapes.params, seed))


def quick_jit(function: Callable, **options: Any) -> Callable:
    """`jax.jit` for what runs once or twice: compiled fast, not fast code."""
    compiler_options = {"xla_backend_optimization_level": "0"}
    return jax.jit(function, compiler_options=compiler_options, **options)


def fast_jit(function: Callable, **options: Any) -> Callable:
    """`jax.jit` for what runs often: fast code, whatever the tests' flags are."""
    compiler_options = {"xla_backend_optimization_level": "3"}
    return jax.jit(function, compiler_options=compiler_options, **options)
