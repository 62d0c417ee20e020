"""Configurations of environment models, and of the agent that learns one."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from agents.checks import above_zero, between
from agents.cnn.config import CNNConfig
from agents.registry import AgentConfig, register
from environments.errors import UserError

if TYPE_CHECKING:
    from agents.base import Agent
    from environments.base import EnvironmentSpec


@dataclass(frozen=True)
class ModelConfig:
    """An environment model. A poor one, as in the I2A paper, is a small one."""

    # Whose frames it imagines.
    game: Literal["sokoban", "minipacman"] = "sokoban"
    # learned: a network, to be trained; perfect: the rules; copy: the network of `learned`, which
    # is evaluated but has no say: what comes back is the frame that was given.
    kind: Literal["learned", "perfect", "copy"] = "learned"
    # Channels of the network.
    channels: int = 32
    # Its residual blocks.
    blocks: int = 2

    def __post_init__(self):
        for name, least in (("channels", 1), ("blocks", 0)):
            value = getattr(self, name)
            if value < least:
                raise UserError(f"agent.model.{name} must be at least {least}, not {value}")


@register("environment_model")
@dataclass(frozen=True)
class EnvironmentModelConfig(AgentConfig):
    """Learns an environment model from the play of a policy that does not learn."""

    # The model.
    model: ModelConfig = field(default_factory=ModelConfig)
    # The agent that plays, with the parameters of the prerequisite `policy`.
    policy: AgentConfig = field(default_factory=CNNConfig)
    # How often an action is drawn uniformly instead: a policy alone would not show what happens
    # where it does not go, and chance alone hardly ever what is rewarded.
    random_actions: float = 0.5
    # Steps in an unroll.
    unroll_length: int = 20
    # Environments, each of which gives one unroll for every round of learning.
    environments: int = 64
    # Equal parts in which a round of unrolls is learnt from, one update for each.
    minibatches: int = 4
    # Adam's rate at the beginning; it falls linearly with frames.
    learning_rate: float = 2e-3
    # The part of it that is left at the end of the budget.
    final_learning_rate: float = 0.01
    # Largest global norm of the gradient.
    clip_norm: float = 10.0

    def __post_init__(self):
        between(self, 0, 1, "random_actions", "final_learning_rate")
        above_zero(self, "learning_rate", "clip_norm")
        if self.model.kind != "learned":
            raise UserError(
                f"a model of kind {self.model.kind} learns nothing: set agent.model.kind learned"
            )

    def make(self, spec: "EnvironmentSpec", frames: int) -> "Agent":
        from agents.models.agent import make

        return make(self, spec, frames)
