"""Configuration of DRC: depth, repeats, and whose variant of the architecture."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agents.actor_critic.config import ActorCriticConfig, Precision
from agents.checks import at_least
from agents.registry import register

if TYPE_CHECKING:
    from agents.base import Agent
    from environments.base import EnvironmentSpec


@dataclass(frozen=True)
class Variant:
    """Where published versions of the architecture differ."""

    output_gate: Literal["tanh", "sigmoid"]
    encoder_relu: bool  # between and after the encoder's convolutions
    readout: Literal["add", "concatenate"]  # how the encoding joins the last state
    pool: Literal["per_channel", "dense"]  # of the spatial maximum and mean of the own state


VARIANTS = {
    # The open code of train-learned-planner (Taufeeque et al. 2024), whose policies solve 99.3 %.
    "open": Variant("tanh", encoder_relu=False, readout="add", pool="per_channel"),
    # The paper (Guez et al. 2019), as far as its re-implementations tell.
    "paper": Variant("sigmoid", encoder_relu=True, readout="concatenate", pool="dense"),
    # Thinker's DRC baseline (Chung et al. 2023).
    "thinker": Variant("sigmoid", encoder_relu=False, readout="concatenate", pool="per_channel"),
}


@register("drc")
@dataclass(frozen=True)
class DRCConfig(ActorCriticConfig):
    """DRC(depth, repeats)."""

    # D, cells in the stack.
    depth: int = 3
    # N, ticks of the stack for each environment step.
    repeats: int = 3
    # Channels of encoder and cells.
    channels: int = 32
    # Kernel size of the encoder's two convolutions, for images of one pixel a cell.
    encoder_kernel: int = 4
    # Units of the readout.
    hidden: int = 256
    # Whose architecture: open (train-learned-planner), paper (Guez et al.), thinker (Chung et al.).
    variant: Literal["open", "paper", "thinker"] = "open"
    # What convolutions compute in: bfloat16 is for accelerators.
    precision: Precision = "float32"

    def __post_init__(self):
        super().__post_init__()
        at_least(self, 1, "depth", "repeats", "channels", "encoder_kernel", "hidden")

    def make(self, spec: "EnvironmentSpec", frames: int) -> "Agent":
        from agents.drc.agent import make

        return make(self, spec, frames)
