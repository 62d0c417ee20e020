"""Frames as what a network can say of them: in every cell one of few kinds of things.

Shape letters: `B` batch, `H, W` board, `K` kinds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from environments.base import Array


@dataclass(frozen=True)
class Frames:
    """How the frames of a game are read and drawn, and which rewards it may give."""

    key: str  # of the observation's array
    kinds: tuple[str, ...]  # what a cell may show
    encode: Callable[[Array], jax.Array]  # frame [B, H, W, C] -> [B, H, W] int32 in 0 to K-1
    decode: Callable[[Array], jax.Array]  # the other way, in the dtype of the frame
    rewards: tuple[float, ...]  # of one step, ascending
    # Kinds of what moves by chance, and hides what is under it; a model draws where they go.
    chance: tuple[int, ...] = ()

    def reward_index(self, reward: Array) -> jax.Array:
        """The nearest of `rewards` to each of `reward [B]`: `[B] int32`."""
        distance = jnp.abs(jnp.asarray(reward)[:, None] - jnp.asarray(self.rewards, jnp.float32))
        return jnp.argmin(distance, axis=-1).astype(jnp.int32)


def palette(colours: np.ndarray) -> tuple[Callable, Callable]:
    """`encode` and `decode` of pixels in `colours [K, 3] uint8`; others are read as the first."""

    def encode(frame: Array) -> jax.Array:
        same = jnp.all(frame[..., None, :] == jnp.asarray(colours), axis=-1)
        return jnp.argmax(same, axis=-1).astype(jnp.int32)

    def decode(kinds: Array) -> jax.Array:
        return jnp.asarray(colours)[kinds]

    return encode, decode
