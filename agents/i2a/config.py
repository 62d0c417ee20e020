"""Configuration of I2A: what it imagines with, how far, and the widths of its networks."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agents.actor_critic.config import ActorCriticConfig
from agents.checks import at_least
from agents.models.config import ModelConfig
from agents.registry import register
from environments.errors import UserError

if TYPE_CHECKING:
    from agents.base import Agent
    from environments.base import EnvironmentSpec


@register("i2a")
@dataclass(frozen=True)
class I2AConfig(ActorCriticConfig):
    """An imagination-augmented agent; with a rollout length of 0 its model-free control."""

    # The environment model, which learning leaves as it is.
    model: ModelConfig = field(default_factory=ModelConfig)
    # Steps of each rollout, of which there is one for every action; 0 for no imagination.
    rollout_length: int = 5
    # Whether the rollout encoder sees the imagined rewards too.
    imagined_rewards: bool = True
    # Channels of the model-free path's convolutions (the paper's Sokoban agents).
    channels: tuple[int, ...] = (32, 64, 64)
    # Kernel size of each.
    kernel: int = 3
    # Units of the model-free path's layer, and of the layer that joins both paths.
    hidden: int = 256
    # Channels of the rollout encoder's and of the rollout policy's convolutions (MiniPacman's).
    rollout_channels: int = 16
    # Units of the rollout encoder's LSTM.
    encoder_units: int = 128
    # Units of the rollout policy's layer.
    rollout_policy_hidden: int = 64
    # Weight of the cross-entropy by which the rollout policy follows the policy; 0.01 to 10 in
    # re-implementations. With a small one its gradients, clipped beside those of the value, are
    # below Adam's epsilon.
    distillation_cost: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        at_least(self, 0, "rollout_length")
        if not self.channels or min(self.channels) < 1:
            raise UserError(
                f"agent.channels must be channel counts of at least 1, not {self.channels}"
            )
        at_least(self, 1, "kernel", "hidden", "rollout_channels", "encoder_units")
        at_least(self, 1, "rollout_policy_hidden")
        if not 0 <= self.distillation_cost < float("inf"):
            raise UserError(
                "agent.distillation_cost must be a number of at least 0, "
                f"not {self.distillation_cost:g}"
            )

    def make(self, spec: "EnvironmentSpec", frames: int) -> "Agent":
        from agents.i2a.agent import make

        return make(self, spec, frames)
