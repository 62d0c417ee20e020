"""Encoders of what is no board (cameras, vectors, scalars), and how features come together.

Shape letters: `T` time, `B` batch, `H, W` pixels, `C` channels, `F` features.
"""

from collections.abc import Sequence

import haiku as hk
import jax
import jax.numpy as jnp

from agents.convolution import INIT
from agents.inputs import InputKeys, board_image, vector
from environments.base import Observation

# Sizes of the encoders: a camera's strided convolutions (channels, kernel, stride) and layer.
CAMERA, CAMERA_UNITS = ((16, 8, 4), (32, 4, 2), (32, 3, 2)), 128
VECTOR_UNITS = (64, 64)
JOINT_UNITS = 256


class CameraEncoder(hk.Module):
    """Strided convolutions and a layer, from `[N, H, W, C]` float32 to `[N, 128]`."""

    def __init__(self):
        super().__init__(name="camera")

    def __call__(self, image: jax.Array) -> jax.Array:
        for channels, kernel, stride in CAMERA:
            image = jax.nn.relu(hk.Conv2D(channels, kernel, stride, w_init=INIT)(image))
        return jax.nn.relu(hk.Linear(CAMERA_UNITS)(hk.Flatten()(image)))


def camera_features(observation: Observation, keys: InputKeys) -> list[jax.Array]:
    """The encoding of each camera, `[T, B, 128]`."""
    features = []
    for key in keys.cameras:
        image = board_image(observation, (key,))
        flat = CameraEncoder()(image.reshape(-1, *image.shape[2:]))
        features.append(flat.reshape(*image.shape[:2], -1))
    return features


def join(features: jax.Array, observation: Observation, keys: InputKeys) -> jax.Array:
    """The board's features `[T, B, F]` with those of all else; as they are if there is no else.

    The joint layer lets one depend on the other: where to steer is a matter of the board and of
    where the walker looks.
    """
    parts = camera_features(observation, keys)
    if keys.vectors:
        parts.append(hidden_layers(vector(observation, keys.vectors), VECTOR_UNITS, "vector"))
    if not parts:
        return features
    return hidden_layers(jnp.concatenate([features, *parts], axis=-1), (JOINT_UNITS,), "joint")


def hidden_layers(x: jax.Array, units: Sequence[int], name: str) -> jax.Array:
    """Linear layers of these sizes on `[..., F]`, each followed by a ReLU."""
    for size in units:
        x = jax.nn.relu(hk.Linear(size, name=name)(x))
    return x
