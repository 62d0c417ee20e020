"""An item as one column of a Reverb table: a block of bytes, each leaf at a place of its own.

Reverb and TensorFlow handle every column of every item by itself. In 19 columns an item of DRC(3,3)
takes them three times as long as in one; a step for each time step would take ten times as long
again. Items on their way together are packed and unpacked together, at one assignment a leaf.

Shape letter: `N` items.
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
    def _strides(self) -> tuple[int, ...]:
        return np.empty(self.shape, self.dtype).strides

    def view(self, blocks: np.ndarray) -> np.ndarray:
        """The leaf's part `[N, ...]` of blocks `[N, total]` uint8, without gaps between them."""
        shape, strides = (len(blocks), *self.shape), (blocks.shape[1], *self._strides)
        return np.ndarray(shape, self.dtype, blocks, self.offset, strides)  # pyright: ignore


class Layout:
    """How items of one spec lie in their blocks: the leaves in the order of `jax.tree.leaves`."""

    def __init__(self, spec: Item):
        """Args: `spec` of the items."""
        found, self._structure = jax.tree_util.tree_flatten_with_path(spec)
        leaves, end = [], 0
        for path, leaf in found:
            place = Leaf(jax.tree_util.keystr(path), np.dtype(leaf.dtype), leaf.shape, end)
            leaves.append(place)
            end += place.size + -place.size % _ALIGNMENT
        self._leaves = tuple(leaves)
        self.total = end  # bytes

    def pack(self, items: Item, blocks: np.ndarray) -> None:
        """Writes items `[N, ...]` to their blocks, `[N, total]` uint8, between what pads them.

        Raises ValueError if they are not of the spec.
        """
        leaves, structure = jax.tree.flatten(items)
        if structure != self._structure:
            raise ValueError(f"items of another structure: {structure}, not {self._structure}")
        for place, leaf in zip(self._leaves, leaves, strict=True):
            if leaf.shape != (len(blocks), *place.shape) or leaf.dtype != place.dtype:
                raise ValueError(
                    f"{place.path} of {len(blocks)} items is {leaf.dtype}{list(leaf.shape)}, "
                    f"not {place.dtype}{[len(blocks), *place.shape]}"
                )
            place.view(blocks)[...] = leaf

    def unpack(self, blocks: np.ndarray) -> Item:
        """The items `[N, ...]` of blocks `[N, total]`, whose arrays are views of them."""
        return jax.tree.unflatten(self._structure, [leaf.view(blocks) for leaf in self._leaves])

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
