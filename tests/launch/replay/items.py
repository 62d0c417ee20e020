"""Items made by hand, of every dtype that may cross the replay."""

import jax
import numpy as np

from agents.base import OnPolicy, Replay, Unroll
from launch.distributed.base import Item, Stamp

QUEUE = OnPolicy(unroll_length=2, environments=1, minibatches=1)


def uniform(**changes) -> Replay:
    """Drawn again: four items needed, three samples an insert."""
    fields = {
        "sequence_length": 2, "period": 2, "batch": 2, "capacity": 100, "min_size": 4,
        "samples_per_insert": 3.0,
    }  # fmt: skip
    return Replay(**(fields | changes))


def item(number: int, width: int = 3) -> Item:
    """An unroll of two steps; everything in it follows from `number`."""
    rng = np.random.default_rng(number)
    unroll = Unroll(
        observation={
            "planes": rng.random((3, 2, 2, 1)) < 0.5,
            "pixels": rng.integers(0, 256, (3, 2, 2, 3), np.uint8),
            "nothing": np.zeros((3, 0), np.float32),
        },
        is_first=np.array([True, False, False]),
        is_last=np.array([False, False, True]),
        action=np.array([number, number + 1], np.int32),
        reward=np.array([number, np.nan], np.float32),
        discount=np.array([1.0, 0.0], np.float32),
        extras={"log_prob": rng.standard_normal(2).astype(np.float32)},
        core=(rng.standard_normal(width).astype(np.float32), np.float32(number)),
    )
    stamp = Stamp(
        version=np.int64(2**40 + number),
        actor=np.int32(1),
        incarnation=np.int32(0),
        world=np.int32(2),
        number=np.int64(number),
        seconds=np.float64(1.7e9 + number / 3),
    )
    return Item(unroll, stamp)


def items(*numbers: int, width: int = 3) -> Item:
    """Items `[N, ...]` by their numbers."""
    made = [item(number, width) for number in numbers]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *made)


def spec(width: int = 3) -> Item:
    """Of the items; `width` is that of the first core."""
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), item(0, width))


def number(found: Item) -> int:
    """The number of the one item that was read, which must be the item of that number."""
    (only,) = numbers(found)
    return only


def numbers(found: Item) -> list[int]:
    """The numbers of items that were read, which must be the items of those numbers."""
    expected = items(*found.stamp.number.tolist())
    jax.tree.map(_assert_same, found, expected)
    return found.stamp.number.tolist()


def _assert_same(found, expected):
    assert isinstance(found, np.ndarray)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected, strict=False)
    assert found.shape == expected.shape


def never() -> bool:
    """A `stop` that never comes."""
    return False
