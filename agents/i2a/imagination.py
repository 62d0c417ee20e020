"""The imagination core: one rollout for every action, all of a batch in one set of calls.

Racanière, Weber et al. 2017, section 3.1 and 3.2. Shape letters: `D` steps of a rollout, `B`
frames to imagine from, `A` actions and so rollouts, `N = B * A` rollouts (those of one frame side
by side), `H, W` board, `C` channels.
"""

from collections.abc import Callable

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from agents.base import Params
from agents.models.base import EnvironmentModel, Imagined
from environments.base import Array

RolloutPolicy = Callable[[Array], jax.Array]  # frames [N, H, W, C] -> logits [N, A]


def imagine(
    model: EnvironmentModel,
    params: Params,
    rollout_policy: RolloutPolicy,
    frame: Array,
    length: int,
) -> Imagined:
    """Rollouts of `length` steps, the i-th of each frame beginning with action i.

    Later actions are drawn from the rollout policy at the imagined frame. What they are drawn with
    is a function of the frame imagined from (`frame_keys`), as is what the model draws of chance,
    which is the same for all rollouts of a frame. No gradient goes through.

    Args:
      model: what is imagined with.
      params: the model's.
      rollout_policy: logits of the later actions; called inside a Haiku transform.
      frame: `[B, H, W, C]`, of the environment.
      length: `D`, at least 1.

    Returns:
      Frames `[D, N, H, W, C]` and rewards `[D, N]`.
    """
    chex.assert_rank(frame, 4)
    batch, actions = frame.shape[0], model.num_actions
    begin = jnp.repeat(frame, actions, axis=0)
    first_action = jnp.tile(jnp.arange(actions, dtype=jnp.int32), batch)
    chance = jnp.repeat(frame_keys(frame, use=2), actions)
    fold = jax.vmap(jax.random.fold_in, in_axes=(0, None))
    first = model.step(params, begin, first_action, fold(chance, 0))

    def step(frame: Array, now: tuple[jax.Array, jax.Array]) -> tuple[Array, Imagined]:
        index, noise = now
        action = jnp.argmax(rollout_policy(frame) + noise, axis=-1).astype(jnp.int32)
        imagined = model.step(params, frame, action, fold(chance, index))
        return imagined.frame, imagined

    rollouts = jax.tree.map(lambda x: x[None], first)
    if length > 1:
        later_steps = jnp.arange(1, length), gumbel_noise(frame, length - 1, actions)
        _, later = hk.scan(step, first.frame, later_steps)
        rollouts = jax.tree.map(lambda x, y: jnp.concatenate([x, y]), rollouts, later)
    return jax.lax.stop_gradient(rollouts)


def frame_keys(frame: Array, use: int) -> jax.Array:
    """`[B]` PRNG keys: a function of each frame `[B, H, W, C]`, and another one for another `use`.

    So the policy remains a function of what is seen, and learning imagines just what acting did,
    without keeping it.
    """
    words = frame.reshape(frame.shape[0], -1).astype(jnp.uint32)
    factors = jax.random.bits(jax.random.key(0), words.shape[1:], jnp.uint32) | jnp.uint32(1)
    hashes = jnp.sum(words * factors, axis=1, dtype=jnp.uint32)
    return jax.vmap(jax.random.fold_in, in_axes=(None, 0))(jax.random.key(use), hashes)


def gumbel_noise(frame: Array, steps: int, actions: int) -> jax.Array:
    """What makes the likeliest action a sample: `[steps, B * actions, actions]` float32."""
    keys = frame_keys(frame, use=1)
    draw = jax.vmap(lambda key: jax.random.gumbel(key, (steps, actions, actions), jnp.float32))
    return jnp.swapaxes(draw(keys), 0, 1).reshape(steps, -1, actions)
