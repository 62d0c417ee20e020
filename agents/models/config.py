"""Configuration of an environment model; it says what the model is, not how it learns."""

from dataclasses import dataclass
from typing import Literal

from environments.errors import UserError


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
