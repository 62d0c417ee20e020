"""The head as pure functions of a picture, made for what an environment shows."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from agents.base import Metrics, Params
from agents.inputs import input_keys
from agents.perception.config import PerceptionConfig
from agents.perception.kinds import kinds_of, planes_of
from agents.perception.losses import perception_loss
from agents.perception.networks import perception_network
from environments.base import Array, EnvironmentSpec
from environments.errors import UserError

PLANES = "planes"  # the observation's key of what is to be read
_MOST_PLANES = 8


@dataclass(frozen=True)
class Head:
    """Reads board planes `[B, H, W, C] bool` from pictures `[B, h, w, 3] uint8`."""

    camera: str  # the observation's key of the picture
    channels: int  # C
    init: Callable[[jax.Array], Params]  # (key) -> params
    # (params, image) -> logits [B, H, W, 2^C] float32 of what each cell holds
    logits: Callable[[Params, Array], jax.Array]

    def read(self, params: Params, image: Array) -> jax.Array:
        """The likeliest planes, cell by cell: nothing makes the board as a whole a legal one."""
        return planes_of(jnp.argmax(self.logits(params, image), axis=-1), self.channels)

    def loss(self, params: Params, image: Array, planes: Array) -> tuple[jax.Array, Metrics]:
        """The loss `[]` and metrics of pictures that showed `planes`; see `perception_loss`."""
        return perception_loss(self.logits(params, image), kinds_of(planes))


def make_head(config: PerceptionConfig, spec: EnvironmentSpec) -> Head:
    """The head for environments of `spec`.

    Raises UserError if there is no such camera, its picture is too small, or no planes are shown
    to learn from.
    """
    camera = camera_of(config, spec)
    height, width, channels = _board(spec)
    picture_height, picture_width, _ = spec.observation[camera].shape
    least = config.patch * height, config.patch * width
    if picture_height < least[0] or picture_width < least[1]:
        raise UserError(
            f"{camera} of {picture_height}x{picture_width} pixels is too small to read "
            f"{height}x{width} cells in squares of {config.patch} pixels: it must have "
            f"{least[0]}x{least[1]}, or agent.patch be smaller"
        )
    picture = picture_height, picture_width
    network = perception_network(config, picture, (height, width), 2**channels)
    return Head(camera, channels, network.init, network.logits)


def camera_of(config: PerceptionConfig, spec: EnvironmentSpec) -> str:
    """The key of the picture; UserError if it is not shown, or left open between several."""
    cameras = input_keys(spec.observation).cameras
    if not cameras:
        raise UserError(
            "perception reads a camera; the environment shows none: set environment.top_camera, "
            "environment.front_camera or whatever camera it has to 84 84"
        )
    if config.camera in cameras:
        return config.camera
    if not config.camera and len(cameras) == 1:
        return cameras[0]
    wrong = f"not {config.camera}" if config.camera else "there are several"
    raise UserError(f"agent.camera must be one of {', '.join(cameras)}: {wrong}")


def _board(spec: EnvironmentSpec) -> tuple[int, int, int]:
    """The shape `H, W, C` of the planes."""
    planes = spec.observation.get(PLANES)
    if planes is None:
        raise UserError(
            f"perception learns from {PLANES}, which the environment does not show: "
            "name them in environment.observations"
        )
    height, width, channels = planes.shape
    if channels > _MOST_PLANES:
        raise UserError(f"perception reads at most {_MOST_PLANES} planes, not {channels}")
    return height, width, channels
