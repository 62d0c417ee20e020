"""The DRC agent: its network under the shared V-trace actor-critic."""

from agents.actor_critic.agent import make_actor_critic
from agents.base import Agent
from agents.drc.config import DRCConfig
from agents.drc.networks import drc_network
from environments.base import EnvironmentSpec


def make(config: DRCConfig, spec: EnvironmentSpec, frames: int) -> Agent:
    """The agent for environments of `spec`; its schedules end after `frames` frames."""
    return make_actor_critic(config, spec, drc_network(config, spec), frames)
