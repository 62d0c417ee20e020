"""A pytree of arrays on the disk in Orbax's format, bit by bit, its leaves by their number.

Orbax keeps neither custom nodes nor empty arrays: the structure is the reader's, and is compared
by `describe`.

Of several processes under `jax.distributed`, one alone writes or reads: Orbax waits for nobody.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np

from environments.keys import is_key


def describe(tree: Any) -> list[dict[str, Any]]:
    """Path, shape and dtype of every leaf, in order."""
    described = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if not hasattr(leaf, "dtype"):
            raise TypeError(f"{jax.tree_util.keystr(path)} is {leaf!r}, not an array")
        leaf_dict = {
            "path": jax.tree_util.keystr(path),
            "shape": list(leaf.shape),
            "dtype": str(leaf.dtype),
        }
        if is_key(leaf) and not isinstance(leaf, jax.ShapeDtypeStruct):
            leaf_dict["key"] = str(jax.random.key_impl(leaf))
        described.append(leaf_dict)
    return described


@contextmanager
def _checkpointer() -> Iterator[Any]:
    """A synchronous Orbax checkpointer that reports by exception alone, not in the log."""
    import orbax.checkpoint as ocp  # seconds to import

    this = jax.process_index()
    alone = ocp.options.MultiprocessingOptions(primary_host=this, active_processes={this})
    handler = ocp.StandardCheckpointHandler(multiprocessing_options=alone)
    log = logging.getLogger("absl")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with ocp.Checkpointer(handler, multiprocessing_options=alone) as checkpointer:
            yield checkpointer
    finally:
        log.setLevel(level)


def write(path: Path, tree: Any) -> None:
    """Writes the leaves of `tree` below the folder `path`, which is made.

    An array that spans processes must be the same on all its devices.
    """

    def plain(leaf):
        if isinstance(leaf, np.generic):
            return np.asarray(leaf)
        leaf = jax.random.key_data(leaf) if is_key(leaf) else leaf
        spans = isinstance(leaf, jax.Array) and not leaf.is_fully_addressable
        return np.asarray(leaf) if spans else leaf

    leaves = {str(i): plain(leaf) for i, leaf in enumerate(jax.tree.leaves(tree)) if leaf.size}
    if leaves:  # Orbax refuses empty arrays, and an empty tree
        with _checkpointer() as checkpointer:
            checkpointer.save(path.absolute(), leaves)


def read(path: Path, described: list[dict[str, Any]], like: Any) -> Any:
    """The pytree that was written below `path`.

    Args:
      path: the folder.
      described: what `describe` gave for it.
      like: a pytree of the same description, which says where each leaf goes: NumPy's stay on the
        host, the others go where their `sharding` says, or to this process' first device.
    """
    targets, structure = jax.tree.flatten(like)
    wanted = {str(i): _target(leaf) for i, leaf in enumerate(targets) if math.prod(leaf.shape)}
    restored = {}
    if wanted:
        with _checkpointer() as checkpointer:
            restored = checkpointer.restore(path.absolute(), wanted)
    leaves = []
    for i, (target, leaf_dict) in enumerate(zip(targets, described, strict=True)):
        leaf = restored.get(str(i), None)
        if leaf is None:
            leaf = _empty(target)
        elif "key" in leaf_dict:
            leaf = jax.random.wrap_key_data(leaf, impl=leaf_dict["key"])
        leaves.append(leaf)
    return jax.tree.unflatten(structure, leaves)


def _target(leaf: Any) -> Any:
    """What Orbax is asked for: the leaf's shape and dtype, and where it shall lie."""
    if isinstance(leaf, np.ndarray | np.generic):
        return np.empty(leaf.shape, leaf.dtype)
    sharding = getattr(leaf, "sharding", None)
    sharding = sharding or jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    if is_key(leaf):
        # The data of a key has one more, unsharded axis: the specification still holds.
        leaf = jax.eval_shape(jax.random.key_data, jax.ShapeDtypeStruct(leaf.shape, leaf.dtype))
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)


def _empty(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray | np.generic):
        return np.zeros(leaf.shape, leaf.dtype)
    return jax.device_put(np.zeros(leaf.shape, leaf.dtype), getattr(leaf, "sharding", None))
