"""JAX's typed PRNG keys among other arrays, which NumPy and files take only as their data."""

from typing import Any

import jax
import jax.numpy as jnp


def is_key(leaf: Any) -> bool:
    """Whether what has this `dtype`, an array or its shape, is a typed key or many."""
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
