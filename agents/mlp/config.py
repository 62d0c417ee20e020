"""Configuration of the multilayer perceptron."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.actor_critic.config import ActorCriticConfig
from agents.registry import register
from environments.errors import UserError

if TYPE_CHECKING:
    from agents.base import Agent
    from environments.base import EnvironmentSpec


@register("mlp")
@dataclass(frozen=True)
class MLPConfig(ActorCriticConfig):
    """Hidden layers on all of an observation, flattened."""

    # Units of the hidden layers.
    hidden: tuple[int, ...] = (256, 256)

    def __post_init__(self):
        super().__post_init__()
        if not self.hidden or min(self.hidden) < 1:
            raise UserError(f"agent.hidden must be layer sizes of at least 1, not {self.hidden}")

    def make(self, spec: "EnvironmentSpec", frames: int) -> "Agent":
        from agents.mlp.agent import make

        return make(self, spec, frames)
