"""What a run has learnt to read boards with, and who loads it. Imports no library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from environments.errors import UserError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Sight:
    """What reads a board."""

    camera: str  # the observation's key of the picture that it reads
    height: int  # pixels
    width: int
    read: Callable[[np.ndarray], np.ndarray]  # [h, w, 3] uint8 to planes [H, W, C] bool


# (run folder, environment, shape of the planes) -> what the run has learnt to read; environments
# know no agent.
SightLoader = Callable[[str, str, tuple[int, ...]], Sight]
_loader: SightLoader | None = None


def use_sights(loader: SightLoader) -> None:
    """Has `loader` make sights of run folders from now on."""
    global _loader
    _loader = loader


def load_sight(run: str, environment: str, shape: tuple[int, ...]) -> Sight:
    """What the run in the folder `run` has learnt to read.

    Args:
      run: the folder.
      environment: the registered name of the one whose boards are to be read.
      shape: of their planes.

    Raises:
      UserError: nobody has said how to load it, or it is no such run.
    """
    if _loader is None:
        raise UserError(
            f"perception={run}: what runs have learnt is loaded by moravec: import launch"
        )
    return _loader(run, environment, shape)
