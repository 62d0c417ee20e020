"""A pytree of arrays as one row of bytes, and back; both sides know its structure and shapes."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from environments.keys import is_key


def pack(tree: Any) -> np.ndarray:
    """The arrays' bytes one after the other, uint8; typed keys as their data."""
    leaves = [np.ascontiguousarray(_raw(leaf)) for leaf in jax.tree.leaves(tree)]
    parts = [leaf.reshape(-1).view(np.uint8) for leaf in leaves]
    return np.concatenate([np.empty(0, np.uint8), *parts])


def packed_size(shapes: Any) -> int:
    """The bytes of a pytree of these shapes and dtypes."""
    return sum(_bytes(_raw_shape(leaf)) for leaf in jax.tree.leaves(shapes))


def unpack(packed: np.ndarray, shapes: Any) -> Any:
    """The pytree that was packed: NumPy arrays, and typed keys of JAX's default kind.

    Args:
      packed: its bytes.
      shapes: the same pytree of `jax.ShapeDtypeStruct`.
    """
    leaves, structure = jax.tree.flatten(shapes)
    found, start = [], 0
    for leaf in leaves:
        raw = _raw_shape(leaf)
        end = start + _bytes(raw)
        array = packed[start:end].copy().view(raw.dtype).reshape(raw.shape)  # copied: aligned
        found.append(_typed(array, leaf))
        start = end
    return jax.tree.unflatten(structure, found)


def _raw(leaf: Any) -> np.ndarray:
    return np.asarray(jax.random.key_data(leaf) if is_key(leaf) else leaf)


def _raw_shape(leaf: jax.ShapeDtypeStruct) -> jax.ShapeDtypeStruct:
    if not is_key(leaf):
        return leaf
    return jax.eval_shape(jax.random.key_data, jax.ShapeDtypeStruct(leaf.shape, leaf.dtype))


def _typed(array: np.ndarray, leaf: jax.ShapeDtypeStruct) -> Any:
    if not is_key(leaf):
        return array
    return jax.random.wrap_key_data(jnp.asarray(array))


def _bytes(leaf: jax.ShapeDtypeStruct) -> int:
    return math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize
