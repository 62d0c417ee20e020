"""I2A: its network under the shared V-trace actor-critic, with a frozen environment model."""

from dataclasses import replace

from agents.actor_critic.agent import make_actor_critic
from agents.base import Agent
from agents.i2a.config import I2AConfig
from agents.i2a.networks import i2a_network
from agents.inputs import num_actions
from agents.models.base import EnvironmentModel
from agents.models.make import make_model
from environments.base import EnvironmentSpec


def make(config: I2AConfig, spec: EnvironmentSpec, frames: int) -> Agent:
    """The agent for environments of `spec`; its schedules end after `frames` frames.

    Raises UserError if an action is not one of a few, or the model does not fit the environment.
    """
    model = make_model(config.model, spec) if config.rollout_length else None
    return make_with_model(config, spec, model, frames)


def make_with_model(
    config: I2AConfig, spec: EnvironmentSpec, model: EnvironmentModel | None, frames: int
) -> Agent:
    """The agent that imagines with `model`, whatever `config.model` says; None for its control."""
    agent = make_actor_critic(config, spec, i2a_network(config, spec, model), frames)
    steps = 0 if model is None else config.rollout_length * num_actions(spec)
    return replace(agent, model_steps=steps)
