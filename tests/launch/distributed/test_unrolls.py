"""Steps of many environments become items with the right rows, whatever the overlap."""

from typing import Any

import jax
import numpy as np
import pytest

from agents.base import Unroll
from environments.base import TimeStep
from launch.distributed.base import Item, Stamp, count, rows, stack
from launch.distributed.unrolls import UnrollBuffer

WORLDS, STEPS = 3, 23


def spec(length: int) -> Item:
    def leaf(*shape, dtype: Any = np.float32):
        return jax.ShapeDtypeStruct(shape, dtype)

    unroll = Unroll(
        observation={"count": leaf(length + 1, 2, dtype=np.int64)},
        is_first=leaf(length + 1, dtype=bool),
        is_last=leaf(length + 1, dtype=bool),
        action=leaf(length, dtype=np.int32),
        reward=leaf(length),
        discount=leaf(length),
        extras={"log_prob": leaf(length)},
        core=(leaf(4),),
    )
    scalar = leaf(dtype=np.int64)
    return Item(unroll, Stamp(scalar, scalar, scalar, scalar, scalar, leaf(dtype=np.float64)))


def timestep(step: int) -> TimeStep:
    worlds = np.arange(WORLDS)
    return TimeStep(
        observation={"count": np.stack([worlds, 0 * worlds + step], axis=1)},
        reward=(100 * worlds + step).astype(np.float32),
        discount=np.full(WORLDS, 1 - step / 100, np.float32),
        is_first=(worlds + step) % 5 == 0,
        is_last=(worlds + step) % 5 == 4,
        info={"outcome": np.zeros(WORLDS, np.int32)},
    )


def gathered(length: int, period: int) -> list[Item]:
    buffer = UnrollBuffer(spec(length), WORLDS, period, actor=7, incarnation=2)
    found = []
    for step in range(STEPS):
        items = buffer.add(
            timestep(step),
            action=np.arange(WORLDS) * 1000 + step,
            after=timestep(step + 1),
            extras={"log_prob": np.full(WORLDS, -float(step), np.float32)},
            core=(np.full((WORLDS, 4), step, np.float32),),
            version=step // 4,
        )
        if items is not None:
            found.append(items)
    return found


@pytest.mark.parametrize(("length", "period"), [(5, 5), (5, 1), (5, 2), (6, 3), (4, 3), (1, 1)])
def test_items(length, period):
    found = gathered(length, period)
    assert len(found) == (STEPS - length) // period + 1
    for number, items in enumerate(found):
        start = number * period
        steps = np.arange(start, start + length)
        shown = np.arange(start, start + length + 1)
        assert count(items) == WORLDS
        for world in range(WORLDS):
            item = rows(items, world)
            unroll, stamp = item.unroll, item.stamp
            np.testing.assert_array_equal(
                unroll.observation["count"], [[world, step] for step in shown]
            )
            np.testing.assert_array_equal(unroll.is_first, (world + shown) % 5 == 0)
            np.testing.assert_array_equal(unroll.is_last, (world + shown) % 5 == 4)
            np.testing.assert_array_equal(unroll.action, 1000 * world + steps)
            np.testing.assert_array_equal(unroll.reward, 100 * world + steps + 1)
            np.testing.assert_array_equal(unroll.discount, np.float32(1 - (steps + 1) / 100))
            np.testing.assert_array_equal(unroll.extras["log_prob"], -steps)
            np.testing.assert_array_equal(unroll.core[0], np.full(4, start))
            assert (stamp.version, stamp.number, stamp.world) == (start // 4, number, world)
            assert (stamp.actor, stamp.incarnation) == (7, 2)
            for leaf, like in zip(
                jax.tree.leaves(item.unroll), jax.tree.leaves(spec(length).unroll), strict=True
            ):
                assert (leaf.shape, leaf.dtype) == (like.shape, like.dtype)


@pytest.mark.parametrize("cuts", [[], [1], [1, 2], [0, 2]])
def test_a_batch_of_items(cuts):
    items = gathered(5, 5)[0]
    parts = [rows(items, slice(*ends)) for ends in zip([0, *cuts], [*cuts, WORLDS], strict=True)]
    batch = stack(parts)
    assert batch.unroll.observation["count"].shape == (6, WORLDS, 2)
    assert batch.unroll.reward.shape == (5, WORLDS)
    assert batch.unroll.core[0].shape == (WORLDS, 4)
    assert batch.stamp.world.tolist() == [0, 1, 2]
    for world in range(WORLDS):
        item = rows(items, world)
        np.testing.assert_array_equal(batch.unroll.reward[:, world], item.unroll.reward)
    for leaf, made in zip(jax.tree.leaves(batch), jax.tree.leaves(items), strict=True):
        assert leaf.flags.c_contiguous
        assert leaf.dtype == made.dtype
        assert not np.shares_memory(leaf, made)
