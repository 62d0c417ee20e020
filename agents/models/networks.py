"""The network of a learned model: what every cell shows next, and the reward, as categoricals.

Racanière, Weber et al. 2017 (I2A), appendix on environment models; this folder's README says
where ours differs. Shape letters: `B` batch, `H, W` board, `K` kinds, `A` actions, `R` rewards.
"""

from collections.abc import Callable
from typing import NamedTuple

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from agents.base import Params
from agents.convolution import Conv
from agents.models.config import ModelConfig
from agents.models.frames import Frames
from environments.base import Array


class Prediction(NamedTuple):
    """What the network says of one step."""

    cells: jax.Array  # [B, H, W, K] float32, logits of what each cell shows
    reward: jax.Array  # [B, R] float32, logits of the reward


class ModelNetwork(NamedTuple):
    """The network as pure functions."""

    init: Callable[[jax.Array], Params]  # (key) -> params
    # (params, frame [B, H, W, C], action [B]) -> Prediction
    predict: Callable[[Params, Array, Array], Prediction]


def model_network(
    config: ModelConfig, frames: Frames, shape: tuple[int, ...], num_actions: int
) -> ModelNetwork:
    """The network for frames of `shape` (H, W, C) and their dtype as `frames.decode` has it."""

    def forward(frame: Array, action: Array) -> Prediction:
        chex.assert_rank([frame, action], [4, 1])
        kinds = len(frames.kinds)
        shown = jax.nn.one_hot(frames.encode(frame), kinds)
        acted = jax.nn.one_hot(action, num_actions)[:, None, None]
        tiled = jnp.broadcast_to(acted, (*shown.shape[:3], num_actions))
        inputs = jnp.concatenate([shown, tiled], axis=-1)
        x = jax.nn.relu(Conv(config.channels, 3)(inputs))
        for index in range(config.blocks):
            x = Block(config.channels, index)(x)
        # With the input beside it, that all stays as it is takes no more than a few weights.
        cells = Conv(kinds, 1)(jnp.concatenate([x, shown], axis=-1))
        events = jax.nn.relu(Conv(config.channels, 1)(x))
        seen = _seen(events, shown, jax.nn.softmax(cells))
        return Prediction(cells, hk.Linear(len(frames.rewards), name="reward")(seen))

    transformed = hk.without_apply_rng(hk.transform(forward))

    def init(key: jax.Array) -> Params:
        kinds = jnp.zeros((1, *shape[:2]), jnp.int32)
        return transformed.init(key, frames.decode(kinds), jnp.zeros(1, jnp.int32))

    return ModelNetwork(init, transformed.apply)


def _seen(events: jax.Array, before: jax.Array, after: jax.Array) -> jax.Array:
    """What a reward may depend on, `[B, C + 2K]`, wherever on the board it is.

    Whether each of the events `[B, H, W, C]` is anywhere; of each kind, `[B, H, W, K]`, how many
    more there are, and whether there are any. So a rare reward (no box is off its target any
    more) takes few weights, and few examples.
    """
    more = jnp.sum(after - before, axis=(1, 2))
    return jnp.concatenate([jnp.max(events, axis=(1, 2)), more, jnp.max(after, axis=(1, 2))], -1)


class Block(hk.Module):
    """Two 3x3 convolutions around which the input goes as well, and pool-and-inject.

    The spatial maximum of every channel is told to all cells: what happens at one end of the
    board (the last box comes onto its target) may matter at the other.
    """

    def __init__(self, channels: int, index: int):
        super().__init__(name=f"block_{index}")
        self._channels = channels

    def __call__(self, x: jax.Array) -> jax.Array:
        """`[B, H, W, channels]` to the same shape."""
        pooled = hk.Linear(self._channels, with_bias=False, name="inject")(jnp.max(x, axis=(1, 2)))
        y = jax.nn.relu(Conv(self._channels, 3)(x) + pooled[:, None, None])
        return jax.nn.relu(x + Conv(self._channels, 3)(y))
