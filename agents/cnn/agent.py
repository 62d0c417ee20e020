"""The small convolutional baseline: its network under the shared V-trace actor-critic."""

from agents.actor_critic.agent import make_actor_critic
from agents.base import Agent
from agents.cnn.config import CNNConfig
from agents.cnn.networks import cnn_network
from environments.base import EnvironmentSpec


def make(config: CNNConfig, spec: EnvironmentSpec, frames: int) -> Agent:
    """The agent for environments of `spec`; its schedules end after `frames` frames."""
    return make_actor_critic(config, spec, cnn_network(config, spec), frames)
