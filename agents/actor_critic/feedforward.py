"""Makes an actor-critic network of a feature function without recurrent state."""

from collections.abc import Callable

import jax

from agents.actor_critic.network import Heads, Network, NetworkOutput
from agents.inputs import board_image, board_keys, num_actions
from environments.base import EnvironmentSpec


def feedforward_network(
    features: Callable[[jax.Array], jax.Array], spec: EnvironmentSpec
) -> Network:
    """The network of `features`, which maps images `[B, H, W, C]` to vectors `[B, F]`."""
    keys, actions = board_keys(spec.observation), num_actions(spec)

    def unroll(observation, is_first, core) -> tuple[NetworkOutput, tuple]:
        image = board_image(observation, keys)
        flat = features(image.reshape(-1, *image.shape[2:]))
        return Heads(actions)(flat.reshape(*is_first.shape, -1)), core

    return Network(unroll, initial_core=lambda batch: ())
