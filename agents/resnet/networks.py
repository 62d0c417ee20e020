"""The residual network of the DRC paper's baseline, as in the open re-implementation.

Shape letters: `B` boards, `H, W` board, `C` channels.
"""

import haiku as hk
import jax
import jax.numpy as jnp

from agents.actor_critic.feedforward import feedforward_network
from agents.actor_critic.network import Network
from agents.convolution import Conv
from agents.resnet.config import ResNetConfig
from environments.base import EnvironmentSpec


def resnet_network(config: ResNetConfig, spec: EnvironmentSpec) -> Network:
    """Stages of a convolution and two residual blocks, then one hidden layer."""

    def features(image: jax.Array) -> jax.Array:
        image = image.astype(config.precision)
        for channels in config.stages:
            image = Conv(channels, config.kernel)(image)
            for _ in range(2):
                image = image + Conv(channels, config.kernel)(jax.nn.relu(image))
        image = jax.nn.relu(image).astype(jnp.float32)
        hidden = hk.Linear(config.hidden, name="hidden")(hk.Flatten()(image))
        return jax.nn.relu(hidden)

    return feedforward_network(features, spec)
