"""What a run of perception has learnt, as a callable: the planes that a camera's picture shows."""

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

from agents.base import Params
from agents.perception.config import PerceptionConfig
from agents.perception.head import PLANES, Head, make_head
from agents.registry import name_of
from environments.base import EnvironmentSpec, Observation
from environments.embedded.sights import Sight
from environments.errors import UserError
from environments.registry import name_of as environment_name
from experiments.base import Experiment
from launch.policy import load_policy
from launch.shared import shared

_compiling = threading.Lock()


@dataclass(frozen=True)
class Perception:
    """Reads the boards of `B` environments, cell by cell.

    perception = load_perception("runs/mujoban_perception_top/...")
    planes = perception(observation)                        # [B, H, W, C] bool
    action, core = policy(perception.with_planes(observation), is_first, core)

    Nothing makes a whole board a legal one: `state_of` of the game's rules says whether it is, and
    gives the state that its players advise on.
    """

    experiment: Experiment
    spec: EnvironmentSpec
    frames: int  # learnt from
    head: Head
    params: Params

    def __call__(self, observation: Observation) -> np.ndarray:
        """Planes `[B, H, W, C] bool`, read from the camera; nothing else is looked at.

        Raises UserError if the observation lacks the camera, or its picture has another size.
        """
        camera = self.head.camera
        if camera not in observation:
            raise UserError(f"perception reads {camera}; there are {', '.join(observation)}")
        image = np.asarray(observation[camera])
        expected = self.spec.observation[camera].shape
        if image.shape[1:] != expected or image.dtype != np.uint8:
            raise UserError(
                f"perception reads {camera} as [B, {', '.join(map(str, expected))}] uint8, "
                f"not {list(image.shape)} {image.dtype}"
            )
        return np.asarray(self._read(self.params, image))

    def with_planes(self, observation: Observation) -> Observation:
        """The observation with its planes as they are read, whether it had any or not."""
        return {**observation, PLANES: self(observation)}

    @cached_property
    def _read(self) -> Any:
        return jax.jit(self.head.read)


@shared
def load_perception(run: str | Path) -> Perception:
    """What the run in the folder `run` has learnt to read, as it was last published.

    Raises UserError if it is no run, a damaged one, or one that has learnt something else.
    """
    policy = load_policy(run)
    config = policy.experiment.agent
    if not isinstance(config, PerceptionConfig):
        raise UserError(f"{run} is a run of the agent {name_of(config)}, not of perception")
    head = make_head(config, policy.spec)
    return Perception(policy.experiment, policy.spec, policy.frames, head, policy.params)


def load_sight(run: str, environment: str, shape: tuple[int, ...]) -> Sight:
    """The same for the boards of one environment, picture by picture, on the CPU.

    Raises UserError as `load_perception` does, or if boards of another environment or size were
    learnt.
    """
    perception = load_perception(run)
    learnt = environment_name(perception.experiment.environment)
    read = perception.spec.observation[PLANES].shape
    if (learnt, read) != (environment, shape):
        raise UserError(
            f"perception={run} reads boards of {learnt}, {read[0]}x{read[1]}, not of "
            f"{environment}, {shape[0]}x{shape[1]}"
        )
    camera = perception.head.camera
    height, width, _ = perception.spec.observation[camera].shape
    cpu = jax.devices("cpu")[0]

    def read_one(picture: np.ndarray) -> np.ndarray:
        with jax.default_device(cpu):
            return perception({camera: picture[None]})[0]

    with _compiling:  # once for all worlds, before any of them is timed
        read_one(np.zeros((height, width, 3), np.uint8))
    return Sight(camera, height, width, read_one)
