"""What a model is worth on play that it did not learn from: one step ahead, and many.

Shape letters: `T` time, `B` environments, `S` beginnings of rollouts, `D` steps of a rollout.
"""

import chex
import jax
import jax.numpy as jnp

from agents.base import Metrics, Params, Unroll
from agents.models.base import EnvironmentModel, Transitions

# Steps after which imagined frames are compared; the first is one of the loss's own metrics.
DEPTHS = (5, 15)
_EVERY = 5  # steps from the beginning of a rollout to that of the next


def transitions_of(unroll: Unroll, key: str) -> Transitions:
    """The `T * B` steps of an unroll, seen in `observation[key]`; none across a reset counts."""
    frames = unroll.observation[key]
    chex.assert_equal_shape_prefix([frames[:-1], unroll.action, unroll.reward], 2)

    def flat(x):
        return x.reshape(-1, *x.shape[2:])

    return Transitions(
        frame=flat(frames[:-1]),
        action=flat(unroll.action),
        next_frame=flat(frames[1:]),
        reward=flat(unroll.reward),
        weight=flat(~unroll.is_last[:-1]).astype(jnp.float32),
    )


def assess(model: EnvironmentModel, params: Params, unroll: Unroll) -> Metrics:
    """The metrics of the model's loss, and how often imagined frames are exact in every cell.

    Returns:
      Beside the loss's metrics `frame_accuracy_D`: of the rollouts of D steps along the actions
      that were taken, each begun at a real frame and fed its own frames, how many end at the
      frame that was seen; those that would cross a reset do not count. 0 where there are none.
    """
    assert model.loss is not None
    _, metrics = model.loss(params, transitions_of(unroll, model.key))
    exact, valid = rollouts(model, params, unroll, min(max(DEPTHS), len(unroll.action)))
    for depth in DEPTHS:
        right, counted = exact[depth - 1 : depth], valid[depth - 1 : depth]
        share = jnp.sum(right & counted) / jnp.maximum(jnp.sum(counted), 1)
        metrics[f"frame_accuracy_{depth}"] = share
    return metrics


def rollouts(
    model: EnvironmentModel, params: Params, unroll: Unroll, depth: int
) -> tuple[jax.Array, jax.Array]:
    """Imagines `depth` steps along the actions of an unroll, from every fifth of its frames.

    Returns:
      exact: `[D, S * B] bool`, whether the imagined frame is the one that was seen.
      valid: `[D, S * B] bool`, whether no reset lies between.
    """
    begins = jnp.arange(0, len(unroll.action) - depth + 1, _EVERY)

    def windows(x, length):
        """`[T, B, ...]` to `[length, S * B, ...]`."""
        cut = x[begins[None] + jnp.arange(length)[:, None]]
        return cut.reshape(length, -1, *x.shape[2:])

    seen = windows(unroll.observation[model.key], depth + 1)
    valid = ~jnp.cumsum(windows(unroll.is_last[:-1], depth), axis=0).astype(bool)

    def step(frame, now):
        action, after, keys = now
        frame = model.step(params, frame, action, keys).frame
        return frame, jnp.all(frame == after, axis=(1, 2, 3))

    keys = jax.random.split(jax.random.key(0), valid.shape)
    _, exact = jax.lax.scan(step, seen[0], (windows(unroll.action, depth), seen[1:], keys))
    return exact, valid
