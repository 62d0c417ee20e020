"""What a position is worth to who plays at random: the value of leaves without a network.

Shape letters: `B` batch.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from agents.base import Array, Params
from agents.models.base import EnvironmentModel


def random_return(
    model: EnvironmentModel,
    ended: Callable[[Array], Array],
    params: Params,
    key: jax.Array,
    frame: Array,
    *,
    steps: int,
    discount: float,
) -> jax.Array:
    """`[B] float32`: the discounted return of so many steps at random, fewer up to an end."""

    def step(carry, key):
        frame, over, total, weight = carry
        action = jax.random.randint(key, over.shape, 0, model.num_actions, jnp.int32)
        keys = jax.random.split(jax.random.fold_in(key, 1), len(frame))
        imagined = model.step(params, frame, action, keys)
        total += jnp.where(over, 0.0, weight * imagined.reward)
        return (imagined.frame, over | ended(imagined.frame), total, weight * discount), None

    over, zero = ended(frame), jnp.zeros(len(frame))
    begin = frame, over, zero, jnp.float32(1)
    (_, _, total, _), _ = jax.lax.scan(step, begin, jax.random.split(key, steps))
    return total
