"""What networks read of an observation: a board, cameras, and all the rest as one vector.

Shape letters: `T` time, `B` batch, `H, W` board, `C` channels.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from dm_env import specs

from environments.base import EnvironmentSpec, Observation
from environments.errors import UserError

# A picture (uint8) with more pixels a side than this is a camera's, and no board.
BOARD_SIDE = 20
# Pictures of the board, however large.
_BOARD_PICTURES = ("sprites", "pixels", "pixel_layer")
# The key of the actions that a mask leaves, where an action is one of a few.
_MASK = "legal_actions"
# Vectors end here, after a symmetric logarithm: about +-22000 in their own units.
VECTOR_LIMIT = 10.0


@dataclass(frozen=True)
class InputKeys:
    """The keys of an observation by how they are read, each in the order of their names."""

    board: tuple[str, ...]  # [H, W, C], planes or one pixel (or sprite) a cell
    cameras: tuple[str, ...]  # [H, W, C] uint8
    vectors: tuple[str, ...]  # any other shape and type


def num_actions(spec: EnvironmentSpec) -> int:
    """How many actions there are to choose from; UserError if an action is not one of a few."""
    if not isinstance(spec.action, specs.DiscreteArray):
        raise UserError(
            f"the agent chooses one of a few actions; the environment takes {spec.action}"
        )
    return spec.action.num_values


def mask_key(spec: EnvironmentSpec) -> str | None:
    """The key of the mask `[A] bool` of legal actions; None if the environment shows none.

    Embedded games show legal moves of the game, but their actions are others: no mask.
    """
    if isinstance(spec.action, specs.DiscreteArray) and _MASK in spec.observation:
        return _MASK
    return None


def network_inputs(spec: EnvironmentSpec) -> InputKeys:
    """How a network reads each array, but for the mask of legal actions, which it need not see.

    The mask cuts off what the policy may choose; as numbers beside the board it would tell nothing
    but, in Go, where a ko is.
    """
    mask = mask_key(spec)
    return input_keys({key: each for key, each in spec.observation.items() if key != mask})


def input_keys(observation: Mapping[str, specs.Array]) -> InputKeys:
    """How each array of the observation is read; arrays of size 0 are left out."""
    keys = sorted(key for key, spec in observation.items() if math.prod(spec.shape))
    images = [key for key in keys if len(observation[key].shape) == 3]
    cameras = [key for key in images if _is_camera(key, observation[key])]
    return InputKeys(
        board=tuple(key for key in images if key not in cameras),
        cameras=tuple(cameras),
        vectors=tuple(key for key in keys if key not in images),
    )


def board_keys(observation: Mapping[str, specs.Array]) -> tuple[str, ...]:
    """The observation's images of the board, in the order in which networks read them.

    Raises UserError if there is none, or if they differ in height and width.
    """
    keys = input_keys(observation).board
    sizes = {observation[key].shape[:2] for key in keys}
    if len(sizes) != 1:
        described = ", ".join(f"{key} {spec.shape}" for key, spec in observation.items())
        raise UserError(
            "the agent needs images of one size that show the board (the agent mlp does not); "
            f"the environment shows {described}"
        )
    return keys


def board_shape(observation: Mapping[str, specs.Array]) -> tuple[int, int, int]:
    """The shape `H, W, C` of what `board_image` gives for observations of this spec."""
    shapes = [observation[key].shape for key in board_keys(observation)]
    height, width, _ = shapes[0]
    return height, width, sum(shape[2] for shape in shapes)


def board_image(observation: Observation, keys: tuple[str, ...]) -> jax.Array:
    """The named images as one `[..., H, W, C]` float32: bool as 0 or 1, uint8 over 255."""
    parts = []
    for key in keys:
        image = observation[key]
        scale = 255.0 if image.dtype == jnp.uint8 else 1.0
        parts.append(image.astype(jnp.float32) / scale)
    return jnp.concatenate(parts, axis=-1)


def vector(observation: Observation, keys: tuple[str, ...]) -> jax.Array:
    """The named arrays, `[T, B, ...]`, side by side as one `[T, B, F]` float32.

    Each number x becomes sign(x) log(1 + |x|), within `VECTOR_LIMIT`: almost x itself where
    metres, radians and flags are, and of moderate size for accelerations in an impact. It needs
    no statistics, which would be one more state to share among actors and learner.
    """
    parts = []
    for key in keys:
        x = observation[key].astype(jnp.float32)
        flat = x.reshape(*x.shape[:2], -1)
        squeezed = jnp.sign(flat) * jnp.log1p(jnp.abs(flat))
        parts.append(jnp.clip(squeezed, -VECTOR_LIMIT, VECTOR_LIMIT))
    return jnp.concatenate(parts, axis=-1)


def zeros_like_spec(
    observation: Mapping[str, specs.Array], leading: tuple[int, ...]
) -> Observation:
    """An observation of zeros, each array of shape `leading` and then the spec's own."""
    return {key: jnp.zeros(leading + spec.shape, spec.dtype) for key, spec in observation.items()}


def _is_camera(key: str, spec: specs.Array) -> bool:
    picture = spec.dtype == np.uint8 and key not in _BOARD_PICTURES
    return picture and max(spec.shape[:2]) > BOARD_SIDE
