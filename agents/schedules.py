"""How a learning rate falls as frames are learnt from."""

import jax
import jax.numpy as jnp


def linear(rate: float, left: float, frames: jax.Array, budget: int) -> jax.Array:
    """The learning rate, a scalar, after `frames` of `budget` frames: linear, then constant.

    Args:
      rate: at the beginning.
      left: the part of it that is left at the end, in 0 to 1.
      frames: learnt from so far, an integer scalar.
      budget: over how many frames it falls.
    """
    progress = jnp.minimum(frames.astype(jnp.float32) / float(budget), 1.0)
    return rate * (1.0 - (1.0 - left) * progress)
