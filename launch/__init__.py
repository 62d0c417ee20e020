"""Running experiments: command line, runners, run folder, checkpoints, evaluation."""

import importlib
from typing import TYPE_CHECKING

from environments.embedded.sights import use_sights
from environments.hints.experts import use_policies

if TYPE_CHECKING:
    from environments.embedded.sights import Sight
    from environments.players.base import Player
    from launch.perception import Perception, load_perception
    from launch.policy import Policy, load_policy

__all__ = ["Perception", "Policy", "load_perception", "load_policy"]


def __getattr__(name: str):
    """Loads what Python users import from here only when they do: the command line is instant."""
    if name in __all__:
        module = "perception" if name.lower().endswith("perception") else "policy"
        return getattr(importlib.import_module(f"launch.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _expert(run: str, symbolic: str, shape: tuple[int, int]) -> "Player":
    from launch.expert import load_expert

    return load_expert(run, symbolic, shape)


def _sight(run: str, environment: str, shape: tuple[int, ...]) -> "Sight":
    from launch.perception import load_sight

    return load_sight(run, environment, shape)


# In every process that runs experiments, trained policies may give hints, and what has learnt to
# read a board may read it.
use_policies(_expert)
use_sights(_sight)
