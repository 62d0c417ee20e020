"""An item as one column of a Reverb table: a block of bytes, each leaf at a place of its own.

Reverb and TensorFlow handle every column of every item by itself. In 19 columns an item of DRC(3,3)
takes them three times as long as in one; a step for each time step would take ten times as long
again.
"""

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np
import tensorflow as tf

from environments.errors import UserError
from launch.distributed.base import Item

_ALIGNMENT = 8  # bytes

Signature = dict[str, list[tf.TensorSpec]]  # the incarnation of a table, and its one column


@dataclass(frozen=True)
class Leaf:
    """One array of an item in its block."""

    path: str
    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int  # bytes, a multiple of 8

    @property
    def size(self) -> int:
        """Bytes."""
        return self.dtype.itemsize * math.prod(self.shape)

    @cached_property
    def padding(self) -> bytes:
        """What stands between this leaf and the next."""
        return bytes(-self.size % _ALIGNMENT)

    @cached_property
    def bits(self) -> np.dtype:
        """Of the same size, one that Python's buffers know: they lack bfloat16."""
        return self.dtype if self.dtype.isbuiltin == 1 else np.dtype(f"u{self.dtype.itemsize}")

    def view(self, block: np.ndarray) -> np.ndarray:
        """The leaf's part of a block, `[total]` uint8."""
        return np.ndarray(self.shape, self.dtype, block, self.offset)  # pyright: ignore


class Layout:
    """How items of one spec lie in their blocks: the leaves in the order of `jax.tree.leaves`."""

    def __init__(self, spec: Item):
        """Args: `spec` of the items."""
        found, self._structure = jax.tree_util.tree_flatten_with_path(spec)
        leaves, end = [], 0
        for path, leaf in found:
            place = Leaf(jax.tree_util.keystr(path), np.dtype(leaf.dtype), leaf.shape, end)
            leaves.append(place)
            end += place.size + len(place.padding)
        self._leaves = tuple(leaves)
        self.total = end  # bytes

    def pack(self, item: Item) -> np.ndarray:
        """The block of an item, `[total]` uint8, read-only.

        Raises ValueError if it is not of the spec.
        """
        leaves, structure = jax.tree.flatten(item)
        if structure != self._structure:
            raise ValueError(f"an item of another structure: {structure}, not {self._structure}")
        parts: list[Any] = []
        for place, leaf in zip(self._leaves, leaves, strict=True):
            if leaf.shape != place.shape or leaf.dtype != place.dtype:
                raise ValueError(
                    f"{place.path} is {leaf.dtype}{list(leaf.shape)}, "
                    f"not {place.dtype}{list(place.shape)}"
                )
            if place.bits is not place.dtype or not leaf.flags.c_contiguous:
                leaf = np.asarray(leaf, order="C").view(place.bits)
            parts += (leaf, place.padding)
        return np.frombuffer(b"".join(parts), np.uint8)  # half the time of an assignment for each

    def unpack(self, block: np.ndarray) -> Item:
        """The item of a block, whose arrays are views of it."""
        return jax.tree.unflatten(self._structure, [leaf.view(block) for leaf in self._leaves])

    def describe(self) -> str:
        """Paths, dtypes and shapes, as text for the signature of a table."""
        return json.dumps([[leaf.path, f"{leaf.dtype}{list(leaf.shape)}"] for leaf in self._leaves])


def signature(spec: Item) -> Signature:
    """The signature of a new table: one column, whose name describes the layout.

    It stands under a name that is new each time, so that a client can tell a server that was
    started again from the one that it knew.
    """
    layout = Layout(spec)
    return {uuid.uuid4().hex: [tf.TensorSpec([layout.total], tf.uint8, layout.describe())]}


def incarnation(found: Mapping[str, Any]) -> str:
    """The name under which the column of a table's signature stands."""
    (name,) = found
    return name


def check_columns(spec: Item, found: Mapping[str, Sequence[Any]], where: str) -> None:
    """Raises UserError, which names the first difference, if a signature is not that of `spec`."""
    here, there = (_described(each) for each in (signature(spec), found))
    for name in here | there:
        if here.get(name) != there.get(name):
            raise UserError(
                f"{where} holds other items: {name} is {there.get(name, 'absent')} there, "
                f"{here.get(name, 'absent')} here; use the agent and the environment that made them"
            )
    for mine, other in zip(here, there, strict=True):
        if mine != other:
            raise UserError(
                f"{where} holds other items: {other} stands there where {mine} does here; "
                "use the agent and the environment that made them"
            )


def _described(found: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    (columns,) = found.values()
    try:
        (column,) = columns
        return dict(json.loads(column.name))
    except (ValueError, TypeError):  # not made here
        return {}
