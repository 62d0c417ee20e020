"""How well cells are read: negative log-likelihood and accuracies.

Shape letters: `B` pictures, `H, W` board, `K` kinds of cell (see kinds.py).
"""

import chex
import jax
import jax.numpy as jnp

from agents.base import Metrics


def perception_loss(logits: jax.Array, kinds: jax.Array) -> tuple[jax.Array, Metrics]:
    """The mean negative log-likelihood of a cell, in nats.

    Args:
      logits: `[B, H, W, K]` float32, of what each cell holds.
      kinds: `[B, H, W]` int32, what it held.

    Returns:
      The loss `[]` and the metrics of `accuracies`, with the loss itself as `cell_nll`.
    """
    chex.assert_rank([logits, kinds], [4, 3])
    chex.assert_equal_shape_prefix([logits, kinds], 3)
    log_probs = jax.nn.log_softmax(logits)
    loss = -jnp.mean(jnp.take_along_axis(log_probs, kinds[..., None], axis=-1))
    read = jnp.argmax(logits, axis=-1).astype(jnp.int32)
    return loss, {"cell_nll": loss} | accuracies(read, kinds, logits.shape[-1])


def accuracies(read: jax.Array, kinds: jax.Array, count: int) -> Metrics:
    """What part is right of all cells, of all boards, and of the cells of each kind.

    Args:
      read: `[B, H, W]` int32, in 0 to `count - 1`.
      kinds: likewise, what was there.
      count: `K`.

    Returns:
      cell_accuracy, board_accuracy (boards that are right in every cell) and balanced_accuracy
      (the mean, over the kinds that were there, of the part of their cells that is right: what
      most cells hold counts no more than what one does). Each `[]` float32.
    """
    chex.assert_rank([read, kinds], 3)
    chex.assert_equal_shape([read, kinds])
    right = read == kinds
    hold = jax.nn.one_hot(kinds, count)  # [B, H, W, K]
    cells = jnp.sum(hold, axis=(0, 1, 2))
    found = jnp.sum(hold * right[..., None], axis=(0, 1, 2)) / jnp.maximum(cells, 1)
    return {
        "cell_accuracy": jnp.mean(right, dtype=jnp.float32),
        "board_accuracy": jnp.mean(jnp.all(right, axis=(1, 2)), dtype=jnp.float32),
        "balanced_accuracy": jnp.sum(found) / jnp.sum(cells > 0),
    }
