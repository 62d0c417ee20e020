"""What networks read of a specification: the one image of an observation, the actions.

Shape letters: `T` time, `B` batch, `H, W` board, `C` channels.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from dm_env import specs

from environments.base import EnvironmentSpec, Observation
from environments.errors import UserError


def num_actions(spec: EnvironmentSpec) -> int:
    """How many actions there are to choose from; UserError if an action is not one of a few."""
    if not isinstance(spec.action, specs.DiscreteArray):
        raise UserError(
            f"the agent chooses one of a few actions; the environment takes {spec.action}"
        )
    return spec.action.num_values


def board_keys(observation: Mapping[str, specs.Array]) -> tuple[str, ...]:
    """The observation's images, in the order in which networks read them.

    Raises UserError if there is none, or if they differ in height and width.
    """
    keys = tuple(sorted(key for key, spec in observation.items() if len(spec.shape) == 3))
    sizes = {observation[key].shape[:2] for key in keys}
    if len(sizes) != 1:
        described = ", ".join(f"{key} {spec.shape}" for key, spec in observation.items())
        raise UserError(f"the agent needs images of one size; the environment shows {described}")
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


def zeros_like_spec(
    observation: Mapping[str, specs.Array], leading: tuple[int, ...]
) -> Observation:
    """An observation of zeros, each array of shape `leading` and then the spec's own."""
    return {key: jnp.zeros(leading + spec.shape, spec.dtype) for key, spec in observation.items()}
