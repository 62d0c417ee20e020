"""The residual baseline: its network under the shared V-trace actor-critic."""

from agents.actor_critic.agent import make_actor_critic
from agents.base import Agent
from agents.resnet.config import ResNetConfig
from agents.resnet.networks import resnet_network
from environments.base import EnvironmentSpec


def make(config: ResNetConfig, spec: EnvironmentSpec, frames: int) -> Agent:
    """The agent for environments of `spec`; its schedules end after `frames` frames."""
    return make_actor_critic(config, spec, resnet_network(config, spec), frames)
