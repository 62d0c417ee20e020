"""Configuration of the head that reads board planes from a camera's picture."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.checks import above_zero, at_least, between
from agents.registry import AgentConfig, register

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
        at_least(self, 0, "layers", "overview")
        at_least(self, 1, "patch", "channels", "glances", "hidden", "hold_steps")
        above_zero(self, "learning_rate", "clip_norm")
        between(self, 0, 1, "final_learning_rate")

    def make(self, spec: "EnvironmentSpec", frames: int) -> "Agent":
        from agents.perception.agent import make

        return make(self, spec, frames)
