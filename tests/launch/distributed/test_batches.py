"""Batches from parts of any sizes: every item once and in order, the old ones left out."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from launch.distributed.base import Item, Weights, count, rows
from launch.distributed.batches import Batch, Batches
from launch.distributed.coordinator import Coordinator
from launch.replay.errors import ReplayTimeout
from tests.launch.replay.items import items

SIZE, ITEMS, LAG = 4, 24, 1
SHIFTS = st.lists(st.integers(0, 5), min_size=ITEMS, max_size=ITEMS)
SIZES = st.lists(st.integers(1, 6), min_size=ITEMS, max_size=ITEMS)


class Parts:
    """Items that are at hand, in parts of these sizes; a pause before every third."""

    def __init__(self, made: Item, sizes: list[int]):
        self._made, self._sizes = made, sizes
        self._given = self._reads = 0

    def read(self, timeout: float, most: int) -> Item:
        self._reads += 1
        left = count(self._made) - self._given
        if not left or self._reads % 3 == 0:
            raise ReplayTimeout("none")
        size = min(self._sizes[self._reads % len(self._sizes)], most, left)
        self._given += size
        return rows(self._made, slice(self._given - size, self._given))


def stamped(versions: list[int]) -> Item:
    made = items(*range(ITEMS))
    made.stamp.version[:] = versions
    return made


@contextmanager
def reading(samplers: list[Parts], in_order: bool = False) -> Iterator[Batches]:
    link = Coordinator(SIZE, LAG)
    link.start(1)
    link.publish(Weights(0, {}))
    arguments = {"version": 0, "max_lag": LAG, "in_order": in_order}
    batches = Batches(samplers, SIZE, lambda unroll: unroll, link, **arguments)
    with closing(batches):
        yield batches


def following(batches: Batches) -> Batch:
    batch = batches.next(20)
    assert batch is not None
    return batch


@settings(max_examples=30, deadline=None)
@given(SHIFTS, SIZES)
def test_every_item_once_in_order_unless_it_is_too_old(shifts, sizes):
    # Items of about the version that they would be learnt at if none was dropped.
    versions = [max(0, index // SIZE - shift // 2) for index, shift in enumerate(shifts)]
    expected, version, dropped = [], 0, 0
    for index, made_at in enumerate(versions):
        if made_at >= version - LAG:
            expected.append(index)
            version = len(expected) // SIZE
        else:
            dropped += 1
    made = stamped(versions)
    with reading([Parts(made, sizes)]) as batches:
        got = [following(batches) for _ in range(len(expected) // SIZE)]
        assert batches.next(0.02) is None
    numbers = [number for batch in got for number in batch.stamp.number.tolist()]
    assert numbers == expected[: len(numbers)]
    assert sum(batch.dropped for batch in got) <= dropped
    for batch in got:
        np.testing.assert_array_equal(batch.unroll.action[0], batch.stamp.number)
        np.testing.assert_array_equal(batch.unroll.core[0], made.unroll.core[0][batch.stamp.number])


@pytest.mark.parametrize("sizes", [[1], [2, 3], [6]])
def test_replays_are_read_in_turn_and_batches_put_in_order(sizes):
    made = stamped([0] * ITEMS)
    made.stamp.world[:] = np.arange(ITEMS)[::-1] % 3
    halves = [rows(made, slice(12)), rows(made, slice(12, None))]
    samplers = [Parts(half, sizes) for half in halves]
    found = []
    with reading(samplers, in_order=True) as batches:
        for _ in range(2):  # a third would be of a version that they are too old for
            batch = following(batches)
            found += batch.stamp.number.tolist()
            keys = list(zip(batch.stamp.world, batch.stamp.number, strict=True))
            assert keys == sorted(keys)
    assert len(set(found)) == 8
    if sizes == [1]:
        assert sorted(found) == [0, 1, 2, 3, 12, 13, 14, 15]
