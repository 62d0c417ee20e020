"""How well a model predicts: negative log-likelihoods, and what is exact.

Shape letters: `B` batch, `H, W` board, `K` kinds, `R` rewards.
"""

import chex
import jax
import jax.numpy as jnp

from agents.base import Metrics
from agents.models.base import Transitions
from agents.models.frames import Frames
from agents.models.networks import Prediction


def model_loss(
    prediction: Prediction, transitions: Transitions, frames: Frames
) -> tuple[jax.Array, Metrics]:
    """The negative log-likelihood of next frame and reward, in nats a step.

    Args:
      prediction: for the transitions, `[B, ...]`.
      transitions: what was seen; those of weight 0 count for nothing.
      frames: how they are read.

    Returns:
      The loss `[]` and metrics: frame_nll, reward_nll, frame_accuracy_1 (how often every cell is
      as predicted), reward_accuracy; and frame_accuracy_1_but_chance in games where things move
      by chance (see `sure_cells`).
    """
    chex.assert_rank([prediction.cells, prediction.reward, transitions.weight], [4, 2, 1])
    chex.assert_equal_shape_prefix([prediction.cells, prediction.reward, transitions.weight], 1)
    weight = transitions.weight
    seen = frames.encode(transitions.next_frame)
    reward = frames.reward_index(transitions.reward)

    def mean(x: jax.Array) -> jax.Array:
        return jnp.sum(x * weight) / jnp.maximum(jnp.sum(weight), 1.0)

    frame_nll = mean(jnp.sum(_nll(prediction.cells, seen), axis=(1, 2)))
    reward_nll = mean(_nll(prediction.reward, reward))
    exact = jnp.all(jnp.argmax(prediction.cells, axis=-1) == seen, axis=(1, 2))
    metrics = {
        "frame_nll": frame_nll,
        "reward_nll": reward_nll,
        "frame_accuracy_1": mean(exact),
        "reward_accuracy": mean(jnp.argmax(prediction.reward, axis=-1) == reward),
    }
    if frames.chance:
        shown = frames.encode(transitions.frame)
        sure = sure_cells(prediction, shown, seen, frames.chance)
        metrics["frame_accuracy_1_but_chance"] = mean(sure)
    return frame_nll + reward_nll, metrics


def sure_cells(
    prediction: Prediction, shown: jax.Array, seen: jax.Array, chance: tuple[int, ...]
) -> jax.Array:
    """`[B] bool`: whether all is as predicted but for the kinds `chance`, which move by chance.

    Of every cell the likeliest of the other kinds is taken. Cells that show one of those kinds
    before (`shown [B, H, W]`) or after (`seen`) hide what is under it, and are left out.
    """
    kinds = jnp.asarray(chance, jnp.int32)
    logits = prediction.cells.at[..., kinds].set(-jnp.inf)
    hidden = jnp.isin(shown, kinds) | jnp.isin(seen, kinds)
    return jnp.all((jnp.argmax(logits, axis=-1) == seen) | hidden, axis=(1, 2))


def _nll(logits: jax.Array, index: jax.Array) -> jax.Array:
    """`[..., N]` and `[...]` to `[...]`: minus the log-probability of `index`, in nats."""
    log_probs = jax.nn.log_softmax(logits)
    return -jnp.take_along_axis(log_probs, index[..., None], axis=-1)[..., 0]
