"""The Experiment: everything that decides a training run, as one frozen dataclass."""

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from agents.registry import AgentConfig
from environments.errors import UserError
from environments.registry import EnvironmentOptions


def _at_least(name: str, value: float, least: float) -> None:
    if not math.isfinite(value):
        raise UserError(f"{name} must be a finite number, not {value}")
    if value < least:
        raise UserError(f"{name} must be at least {least}, not {value}")


@dataclass(frozen=True)
class Runner:
    """What connects environments, agent and data."""

    # device: environments, acting and learning in one program, over all JAX devices.
    kind: Literal["device"] = "device"
    # A metrics row, and an update of the display, after at least this many frames.
    log_frames: int = 20_000
    # A checkpoint after at least this many minutes.
    checkpoint_minutes: float = 5.0
    # How many checkpoints to keep.
    keep_checkpoints: int = 3

    def __post_init__(self):
        _at_least("runner.log_frames", self.log_frames, 1)
        _at_least("runner.checkpoint_minutes", self.checkpoint_minutes, 0)
        _at_least("runner.keep_checkpoints", self.keep_checkpoints, 1)


@dataclass(frozen=True)
class Evaluation:
    """What is evaluated, and how often, while training goes on; greedy, every level once."""

    # Level sources or registered suites.
    suites: tuple[str, ...] = ()
    # The first so many levels of each, in file order; 0 for all of them.
    episodes: int = 500
    # After at least this many frames; 0 for at the end only.
    every_frames: int = 0

    def __post_init__(self):
        if len(set(self.suites)) < len(self.suites):
            raise UserError(f"evaluation.suites names one twice: {' '.join(self.suites)}")
        _at_least("evaluation.episodes", self.episodes, 0)
        _at_least("evaluation.every_frames", self.every_frames, 0)


@dataclass(frozen=True)
class Experiment:
    """A training run, resolved: enough to rebuild everything."""

    name: Annotated[str, tyro.conf.Suppress]
    environment: EnvironmentOptions
    agent: AgentConfig
    runner: Runner = field(default_factory=Runner)
    evaluation: Evaluation = field(default_factory=Evaluation)
    # The budget: schedules end here. A frame is one step of one environment.
    max_frames: int = 1_000_000
    # Stops early after so many minutes of training; 0 for no limit.
    max_minutes: float = 0.0
    # Decides everything random: parameters, levels, time limits, actions.
    seed: int = 0

    def __post_init__(self):
        _at_least("max_frames", self.max_frames, 1)
        if self.max_frames >= 2**32:
            raise UserError(
                f"max_frames must be below 2^32, not {self.max_frames}: frames are uint32"
            )
        _at_least("max_minutes", self.max_minutes, 0)
        _at_least("seed", self.seed, 0)
