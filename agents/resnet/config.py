"""Configuration of the residual baseline."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.actor_critic.config import ActorCriticConfig, Precision
from agents.checks import at_least
from agents.registry import register
from environments.errors import UserError

if TYPE_CHECKING:
    from agents.base import Agent
    from environments.base import EnvironmentSpec


@register("resnet")
@dataclass(frozen=True)
class ResNetConfig(ActorCriticConfig):
    """A residual network as in the DRC paper's baseline; 3,068,421 parameters on 10x10x3."""

    # Channels of the stages; each is a convolution and two residual blocks of one convolution.
    stages: tuple[int, ...] = (32, 32, 64, 64, 64, 64, 64, 64, 64)
    # Kernel size of every convolution.
    kernel: int = 4
    # Units of the hidden layer.
    hidden: int = 256
    # What convolutions compute in: bfloat16 is for accelerators.
    precision: Precision = "float32"

    def __post_init__(self):
        super().__post_init__()
        if not self.stages or min(self.stages) < 1:
            raise UserError(f"agent.stages must be channel counts of at least 1, not {self.stages}")
        at_least(self, 1, "kernel", "hidden")

    def make(self, spec: "EnvironmentSpec", frames: int) -> "Agent":
        from agents.resnet.agent import make

        return make(self, spec, frames)
