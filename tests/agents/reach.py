"""A real environment of continuous actions that is learnt in seconds.

Shape letter: `B` environments.
"""

from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import numpy as np
from dm_env import specs

from environments.base import EnvironmentSpec, Observation, TimeStep

SIDE, LIMIT = 3, 12
SPEED, NEAR = 0.25, 0.2
# Bounds that are neither equal nor symmetric, so that units matter.
LOW, HIGH = np.array([-2, 0], np.float32), np.array([2, 1], np.float32)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ReachState:
    place: jax.Array  # [B, 2] float32 in -1 to 1
    cell: jax.Array  # [B] int32, the target's, row * SIDE + column
    time: jax.Array  # [B] int32
    is_last: jax.Array  # [B] bool
    key: jax.Array  # [B] PRNG keys


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Reach:
    """Move a point to within 0.2 of the target in a box, which is at most 2.4 away.

    Action: the velocity, of which the bounds are a quarter a step along each axis.
    Reward: how much nearer the target came. Termination: it is reached; cut off after 12 steps.
    """

    # Whether the target is shown on a board of 3x3 cells rather than by its coordinates.
    board: bool = field(default=False, metadata={"static": True})

    @property
    def spec(self) -> EnvironmentSpec:
        target = specs.Array((2,), np.float32, name="target")
        planes = specs.Array((SIDE, SIDE, 1), bool, name="planes")
        return EnvironmentSpec(
            observation={
                "place": specs.Array((2,), np.float32, name="place"),
                **({"planes": planes} if self.board else {"target": target}),
            },
            action=specs.BoundedArray((2,), np.float32, LOW, HIGH, name="action"),
            outcomes=("reached", "late"),
        )

    @property
    def num_levels(self) -> int:
        return 20 * SIDE * SIDE

    def reset(self, key: jax.Array, batch: int) -> tuple[ReachState, TimeStep]:
        state = restart(jax.random.split(key, batch))
        return state, self._first(state)

    def start(self, key: jax.Array, levels: jax.Array) -> tuple[ReachState, TimeStep]:
        state = restart(jax.random.split(key, levels.shape[0]))
        state = replace(state, cell=levels % (SIDE * SIDE))
        return state, self._first(state)

    def step(self, state: ReachState, action: jax.Array) -> tuple[ReachState, TimeStep]:
        velocity = SPEED * (2 * (action - LOW) / (HIGH - LOW) - 1)
        moved = replace(state, place=jnp.clip(state.place + velocity, -1, 1), time=state.time + 1)
        reached = distance(moved) < NEAR
        moved = replace(moved, is_last=reached | (moved.time >= LIMIT))
        was_last = state.is_last
        after = jax.tree.map(
            lambda new, old: jnp.where(was_last.reshape(-1, *[1] * (new.ndim - 1)), new, old),
            restart(state.key),
            moved,
        )
        return after, TimeStep(
            observation=self._observe(after),
            reward=jnp.where(was_last, 0.0, distance(state) - distance(moved)),
            discount=jnp.where(reached & ~was_last, 0.0, 1.0),
            is_first=was_last,
            is_last=moved.is_last & ~was_last,
            info={"outcome": jnp.where(reached, 0, 1).astype(jnp.int32)},
        )

    def _first(self, state: ReachState) -> TimeStep:
        zeros = jnp.zeros(state.cell.shape, jnp.float32)
        none = zeros.astype(bool)
        info = {"outcome": jnp.ones_like(state.cell)}
        return TimeStep(self._observe(state), zeros, zeros + 1, ~none, none, info)

    def _observe(self, state: ReachState) -> Observation:
        if not self.board:
            return {"place": state.place, "target": target(state)}
        cells = jnp.arange(SIDE * SIDE).reshape(SIDE, SIDE, 1)
        return {"place": state.place, "planes": cells == state.cell[:, None, None, None]}


def target(state: ReachState) -> jax.Array:
    """The centre of the target's cell, `[B, 2]`."""
    cell = jnp.stack([state.cell // SIDE, state.cell % SIDE], axis=-1)
    return (2 * cell.astype(jnp.float32) + 1) / SIDE - 1


def distance(state: ReachState) -> jax.Array:
    """`[B]` float32."""
    return jnp.linalg.norm(state.place - target(state), axis=-1)


def restart(keys: jax.Array) -> ReachState:
    """Beginnings drawn from keys `[B]`, and the keys for those after them; some begin near."""
    place_keys, cell_keys, keys = jax.vmap(lambda key: jax.random.split(key, 3), out_axes=1)(keys)
    place = jax.vmap(lambda key: jax.random.uniform(key, (2,), minval=-1, maxval=1))(place_keys)
    cell = jax.vmap(lambda key: jax.random.randint(key, (), 0, SIDE * SIDE))(cell_keys)
    return ReachState(place, cell, jnp.zeros_like(cell), jnp.zeros(cell.shape, bool), keys)
