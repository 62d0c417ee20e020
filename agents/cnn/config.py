"""Configuration of the small convolutional baseline."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.actor_critic.config import ActorCriticConfig
from agents.checks import at_least
from agents.registry import register

if TYPE_CHECKING:
    from agents.base import Agent
    from environments.base import EnvironmentSpec


@register("cnn")
@dataclass(frozen=True)
class CNNConfig(ActorCriticConfig):
    """Convolutions of one size, each followed by a ReLU, and one hidden layer."""

    # Convolutions.
    layers: int = 3
    # Channels of each.
    channels: int = 32
    # Kernel size of each.
    kernel: int = 3
    # Units of the hidden layer.
    hidden: int = 256

    def __post_init__(self):
        super().__post_init__()
        at_least(self, 1, "layers", "channels", "kernel", "hidden")

    def make(self, spec: "EnvironmentSpec", frames: int) -> "Agent":
        from agents.cnn.agent import make

        return make(self, spec, frames)
