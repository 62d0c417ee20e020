"""The multilayer perceptron: its network under the shared V-trace actor-critic."""

from agents.actor_critic.agent import make_actor_critic
from agents.base import Agent
from agents.mlp.config import MLPConfig
from agents.mlp.networks import mlp_network
from environments.base import EnvironmentSpec


def make(config: MLPConfig, spec: EnvironmentSpec, frames: int) -> Agent:
    """The agent for environments of `spec`; its schedules end after `frames` frames."""
    return make_actor_critic(config, spec, mlp_network(config, spec), frames)
