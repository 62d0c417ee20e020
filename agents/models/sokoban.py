"""Sokoban for models: what its frames show, and its rules as a function of frames.

Shape letters: `B` batch, `H, W` board. The order of planes is that of `rules.PLANES`.
"""

import chex
import jax
import jax.numpy as jnp
import numpy as np

from agents.models.base import Imagined
from agents.models.frames import Frames, palette
from environments.base import Array
from environments.games.sokoban import rules
from environments.games.sokoban.observations import CELLS, COLOURS, cells

# The rewards that a step may have: a push moves one box, and solves only with the last one. The
# one without a box of its own is that of a level which is solved before it begins.
REWARDS = (-1.1, -0.1, 0.9, 9.9, 10.9)

# What planes hold where a cell shows each of CELLS, `[7, 4] bool`.
_PLANES = np.array(
    [[part in cell for part in ("wall", "target", "player", "box")] for cell in CELLS]
)


def plane_frames() -> Frames:
    """Board planes `[B, H, W, 4] bool`, each cell one of CELLS."""

    def encode(frame: Array) -> jax.Array:
        return cells(frame, jnp).astype(jnp.int32)

    def decode(kinds: Array) -> jax.Array:
        return jnp.asarray(_PLANES)[kinds]

    return Frames("planes", CELLS, encode, decode, REWARDS)


def pixel_frames() -> Frames:
    """One pixel a cell, `[B, H, W, 3] uint8`; the player hides what is under it."""
    encode, decode = palette(COLOURS[:6])
    return Frames("pixels", CELLS[:6], encode, decode, REWARDS)


def step(planes: Array, action: Array) -> Imagined:
    """The rules: what follows from board planes and an action, exactly.

    On a board that is solved the episode is over: it stays as it is, for no reward.

    Args:
      planes: `[B, H, W, 4] bool`, the border all wall.
      action: `[B] int32`, indices into `rules.ACTIONS`.
    """
    chex.assert_rank([planes, action], [4, 1])
    wall, target, player, box = (planes[..., i] for i in range(len(rules.PLANES)))
    over = _solved(box, target)
    ahead, beyond = _moved(player, action), _moved(_moved(player, action), action)
    still = (action == rules.ACTIONS.index("noop")) | over
    pushes = _any(ahead & box)
    blocked = _any(ahead & wall) | (pushes & _any(beyond & (wall | box)))
    walks = ~(still | blocked)[:, None, None]
    pushed = walks & pushes[:, None, None]
    player_after = (walks & ahead) | (~walks & player)
    box_after = box ^ (pushed & (ahead | beyond))
    change = _count(box_after & target) - _count(box & target)
    solved = _solved(box_after, target)
    reward = rules.STEP_REWARD + rules.BOX_REWARD * change + rules.SOLVED_REWARD * solved
    return Imagined(
        frame=jnp.stack([wall, target, player_after, box_after], axis=-1),
        reward=jnp.where(over, 0.0, reward).astype(jnp.float32),
    )


def _moved(plane: jax.Array, action: jax.Array) -> jax.Array:
    """`[B, H, W]` shifted by one cell in the direction of each action."""
    after = plane
    for index, shift in enumerate(rules.MOVES):
        rolled = jnp.roll(plane, shift, axis=(1, 2))
        after = jnp.where((action == index)[:, None, None], rolled, after)
    return after


def _any(plane: jax.Array) -> jax.Array:
    """`[B, H, W]` to `[B] bool`."""
    return jnp.any(plane, axis=(1, 2))


def _count(plane: jax.Array) -> jax.Array:
    """`[B, H, W]` to `[B] int32`."""
    return jnp.sum(plane, axis=(1, 2), dtype=jnp.int32)


def _solved(box: jax.Array, target: jax.Array) -> jax.Array:
    """`[B] bool`: every box is on a target."""
    return ~_any(box & ~target)
