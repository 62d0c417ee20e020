"""Makes an actor-critic network of a feature function without recurrent state."""

from collections.abc import Callable

import jax

from agents.actor_critic.network import Heads, Network, NetworkOutput
from agents.actor_critic.policies import policy_of
from agents.encoders import join
from agents.inputs import board_image, board_keys, network_inputs
from environments.base import EnvironmentSpec


def feedforward_network(
    features: Callable[[jax.Array], jax.Array], spec: EnvironmentSpec
) -> Network:
    """The network of `features`, which maps boards `[B, H, W, C]` to vectors `[B, F]`."""
    board, keys = board_keys(spec.observation), network_inputs(spec)
    policy = policy_of(spec)

    def unroll(observation, is_first, core) -> tuple[NetworkOutput, tuple]:
        image = board_image(observation, board)
        flat = features(image.reshape(-1, *image.shape[2:]))
        joined = join(flat.reshape(*is_first.shape, -1), observation, keys)
        return Heads(policy)(joined), core

    return Network(unroll, initial_core=lambda batch: ())
