"""Draws where things are that move by chance, in imagined frames.

Shape letters: `B` batch, `H, W` board, `K` kinds, of which `M` move by chance.
"""

import jax
import jax.numpy as jnp


def draw_kinds(keys: jax.Array, logits: jax.Array, chance: tuple[int, ...]) -> jax.Array:
    """`[B, H, W] int32`: what every cell shows, where the kinds `chance` move by chance.

    Cells are not drawn one by one, or a ghost that may come to either of two cells would often be
    in both or in neither. Drawn is one number in 0 to 1 for each frame; along all cells the
    probabilities of a ghost are added up, and there is one wherever the sum passes that number, or
    a whole number more. So each cell shows a ghost as often as its probability says, and there are
    as many ghosts as the probabilities add up to. Elsewhere the likeliest of the other kinds shows.

    Args:
      keys: `[B]` PRNG keys.
      logits: `[B, H, W, K]` float32.
      chance: at least one kind.
    """
    kinds = jnp.asarray(chance, jnp.int32)
    moving = jax.nn.softmax(logits)[..., kinds]  # [B, H, W, M]
    offset = jax.vmap(jax.random.uniform)(keys)[:, None]
    sums = jnp.cumsum(moving.reshape(len(moving), -1), axis=-1)
    passed = jnp.floor(jnp.concatenate([jnp.zeros_like(offset), sums], axis=-1) + offset)
    drawn = (jnp.diff(passed, axis=-1) > 0).reshape(moving.shape)
    others = jnp.argmax(logits.at[..., kinds].set(-jnp.inf), axis=-1)
    return jnp.where(jnp.any(drawn, axis=-1), kinds[jnp.argmax(drawn, axis=-1)], others)
