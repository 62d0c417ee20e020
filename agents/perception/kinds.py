"""Board planes as one number for each cell: which of the planes are set there.

Planes need not exclude each other (in Sokoban a box may stand on a target), but what is found in
a cell is one of few combinations: a categorical over all of them is soon left with those there are.
Shape letters: `H, W` board, `C` planes.
"""

import jax
import jax.numpy as jnp

from environments.base import Array


def kinds_of(planes: Array) -> jax.Array:
    """`[..., H, W, C] bool` to `[..., H, W] int32` in 0 to 2^C - 1; plane i counts 2^i."""
    worth = 2 ** jnp.arange(planes.shape[-1])
    return jnp.sum(planes * worth, axis=-1, dtype=jnp.int32)


def planes_of(kinds: Array, channels: int) -> jax.Array:
    """The other way: `[..., H, W]` to `[..., H, W, channels] bool`."""
    return (jnp.asarray(kinds)[..., None] >> jnp.arange(channels)) % 2 == 1
