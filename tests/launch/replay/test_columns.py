"""Blocks: every leaf survives bit for bit, whatever its dtype and shape; others are refused."""

from dataclasses import replace

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import jax
import numpy as np
import pytest
from hypothesis import given

pytest.importorskip("reverb")

import tensorflow as tf

from environments.errors import UserError
from launch.distributed.base import count, rows
from launch.replay.columns import Layout, check_columns, signature
from tests.launch.replay.items import items, numbers, spec

DTYPES = ("bool", "uint8", "int8", "int32", "int64", "uint32", "float16", "float32", "float64")
LEAVES = st.lists(
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0))
    ),
    max_size=5,
)


def shapes(tree):
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), tree)


def packed(layout, made):
    """Blocks of items, from a buffer with room for one more."""
    blocks = np.zeros((count(made) + 1, layout.total), np.uint8)[:-1]
    layout.pack(made, blocks)
    blocks.flags.writeable = False
    return blocks


def with_core(*core):
    """Two items whose cores are these leaves, each the same in both."""
    made = items(0, 1)
    doubled = tuple(np.stack([leaf, leaf]) for leaf in core)
    return replace(made, unroll=replace(made.unroll, core=doubled))


@given(LEAVES)
def test_leaves_survive_bit_for_bit(leaves):
    made = with_core(*leaves)
    layout = Layout(shapes(rows(made, 0)))
    blocks = packed(layout, made)
    assert layout.total % 8 == 0
    found = layout.unpack(blocks)
    assert jax.tree.structure(found) == jax.tree.structure(made)
    for there, leaf in zip(jax.tree.leaves(found), jax.tree.leaves(made), strict=True):
        assert (there.dtype, there.shape) == (leaf.dtype, leaf.shape)
        assert there.tobytes() == leaf.tobytes()
        assert there.flags.aligned
        assert not there.flags.writeable
        assert there.size == 0 or np.shares_memory(there, blocks)


def test_bfloat16_that_is_not_contiguous_survives():
    turned = np.arange(24, dtype=jax.numpy.bfloat16).reshape(2, 4, 3).swapaxes(1, 2)
    made = items(0, 1)
    made = replace(made, unroll=replace(made.unroll, core=(turned,)))
    layout = Layout(shapes(rows(made, 0)))
    found = layout.unpack(packed(layout, made)).unroll.core[0]
    np.testing.assert_array_equal(found, turned)


def test_a_block_is_the_same_for_the_same_item():
    layout = Layout(spec())
    blocks = packed(layout, items(3, 4, 3))
    assert blocks[0].tobytes() == blocks[2].tobytes() != blocks[1].tobytes()
    assert numbers(layout.unpack(blocks)) == [3, 4, 3]


@pytest.mark.parametrize(
    ("core", "message"),
    [
        ((np.zeros(5, np.float32), np.float32(0)), r"is float32\[2, 5\], not float32\[2, 3\]"),
        ((np.zeros(3), np.float32(0)), r"is float64\[2, 3\], not float32\[2, 3\]"),
        ((np.zeros(3, np.float32),), "another structure"),
    ],
)
def test_items_of_another_spec_are_refused(core, message):
    with pytest.raises(ValueError, match=message):
        packed(Layout(spec()), with_core(*core))


def refused(other, message):
    with pytest.raises(UserError, match=f"the replay holds other items: {message}"):
        check_columns(spec(), other, "the replay")


def test_the_first_difference_is_named():
    check_columns(spec(), signature(spec()), "the replay")
    refused(signature(spec(4)), r".unroll.core\[0\] is float32\[4\] there, float32\[3\] here")
    fewer = replace(spec(), unroll=replace(spec().unroll, core=spec().unroll.core[:1]))
    refused(signature(fewer), r".unroll.core\[1\] is absent there, float32\[\] here")
    with pytest.raises(UserError, match=r"core\[1\] is float32\[\] there, absent here"):
        check_columns(fewer, signature(spec()), "the replay")


@pytest.mark.parametrize(
    "columns",
    [
        [tf.TensorSpec([8], tf.uint8)],
        [tf.TensorSpec([8], tf.uint8, "7")],
        [tf.TensorSpec([8], tf.uint8, "planes"), tf.TensorSpec([], tf.float32, "reward")],
    ],
)
def test_a_table_of_something_else_is_refused(columns):
    refused({"table": columns}, r".unroll.observation\['nothing'\] is absent there")
