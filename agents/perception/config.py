"""Configuration of the head that reads board planes from a camera's picture."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.registry import AgentConfig, register
from environments.errors import UserError

if TYPE_CHECKING:
    from agents.base import Agent
    from environments.base import EnvironmentSpec


@register("perception")
@dataclass(frozen=True)
class PerceptionConfig(AgentConfig):
    """Learns to read the board planes from a camera, while it moves at random."""

    # The observation's key of the picture; empty for the only camera there is.
    camera: str = ""
    # Pixels a side of the squares that the picture is cut into.
    patch: int = 4
    # Channels of the convolutions over squares.
    channels: int = 32
    # 3x3 convolutions.
    layers: int = 2
    # How many weighted sums over the picture each cell is read from.
    glances: int = 4
    # Units of the layer that says what a cell holds.
    hidden: int = 64
    # Units of a layer on the whole picture, told to every cell; 0 for none. A camera that stands
    # still needs none.
    overview: int = 0
    # Steps for which a random action is held, on average.
    hold_steps: int = 10
    # Steps in an unroll.
    unroll_length: int = 5
    # Environments, each of which gives one unroll for every round of learning.
    environments: int = 32
    # Equal parts in which a round of unrolls is learnt from, one update for each.
    minibatches: int = 2
    # Adam's rate at the beginning; it falls linearly with frames.
    learning_rate: float = 2e-3
    # The part of it that is left at the end of the budget.
    final_learning_rate: float = 0.01
    # Largest global norm of the gradient.
    clip_norm: float = 10.0

    def __post_init__(self):
        for name, least in (
            ("patch", 1),
            ("channels", 1),
            ("layers", 0),
            ("glances", 1),
            ("hidden", 1),
            ("overview", 0),
            ("hold_steps", 1),
        ):
            value = getattr(self, name)
            if value < least:
                raise UserError(f"agent.{name} must be at least {least}, not {value}")
        for name in ("learning_rate", "clip_norm"):
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise UserError(f"agent.{name} must be a number above 0, not {value}")
        if not 0 <= self.final_learning_rate <= 1:
            raise UserError(
                "agent.final_learning_rate must be between 0 and 1, "
                f"not {self.final_learning_rate:g}"
            )

    def make(self, spec: "EnvironmentSpec", frames: int) -> "Agent":
        from agents.perception.agent import make

        return make(self, spec, frames)
