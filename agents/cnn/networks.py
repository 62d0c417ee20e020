"""The small convolutional network."""

import haiku as hk
import jax

from agents.actor_critic.feedforward import feedforward_network
from agents.actor_critic.network import Network
from agents.cnn.config import CNNConfig
from agents.convolution import Conv
from environments.base import EnvironmentSpec


def cnn_network(config: CNNConfig, spec: EnvironmentSpec) -> Network:
    """`layers` convolutions, then one hidden layer."""

    def features(image: jax.Array) -> jax.Array:
        for _ in range(config.layers):
            image = jax.nn.relu(Conv(config.channels, config.kernel)(image))
        return jax.nn.relu(hk.Linear(config.hidden, name="hidden")(hk.Flatten()(image)))

    return feedforward_network(features, spec)
