"""What a caller gives to many worlds, checked before any world sees it.

Letters: `N` worlds, `M` those that a call is about.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from dm_env import specs

from environments.actions import ActionCheck


def checked_ids(ids: Any, count: int) -> list[int]:
    """`ids` as worlds of 0 to `count - 1`, none twice; None stands for all of them.

    Raises ValueError if they are no such thing.
    """
    if ids is None:
        return list(range(count))
    array = np.asarray(ids)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
        raise ValueError(f"ids must be a list of worlds, not {ids!r}")
    listed = array.tolist()
    if len(set(listed)) < len(listed) or min(listed) < 0 or max(listed) >= count:
        raise ValueError(f"ids must be different worlds in 0 to {count - 1}, not {listed}")
    return listed


def checked_actions(actions: Any, spec: specs.Array, ids: Sequence[int]) -> np.ndarray:
    """A copy of `actions`, `[M, ...]`, each within `spec`; continuous ones clipped to its bounds.

    Raises ValueError that names the world of the first action that is out of the spec.
    """
    array = np.array(actions)
    if array.shape != (len(ids), *spec.shape):
        raise ValueError(
            f"actions must have shape {(len(ids), *spec.shape)}, one for each of {len(ids)} "
            f"worlds, not {array.shape}"
        )
    if isinstance(spec, specs.DiscreteArray):
        return _checked_indices(array, int(spec.num_values), ids)
    if not isinstance(spec, specs.BoundedArray):
        raise TypeError(f"actions must be discrete or bounded, not {spec}")
    if array.dtype.kind == "f" and ((array >= spec.minimum) & (array <= spec.maximum)).all():
        return array
    rows, check = [], ActionCheck(spec)
    for world, row in zip(ids, array, strict=True):
        try:
            rows.append(check(row))
        except ValueError as error:
            raise ValueError(f"world {world}: {error}") from None
    return np.stack(rows)


def _checked_indices(array: np.ndarray, count: int, ids: Sequence[int]) -> np.ndarray:
    if array.dtype.kind not in "iu":
        raise ValueError(f"actions must be integers, not {array.dtype}")
    wrong = (array < 0) | (array >= count)
    if wrong.any():
        first = int(wrong.argmax())
        raise ValueError(
            f"world {ids[first]}: action must be in 0 to {count - 1}, not {array[first]}"
        )
    return array.astype(np.int32)


def checked_levels(levels: Any, worlds: int, count: int) -> np.ndarray:
    """`levels` as `[N] int32`, one for each world. Raises ValueError, IndexError out of range."""
    array = np.asarray(levels)
    if array.shape != (worlds,) or array.dtype.kind not in "iu":
        raise ValueError(f"levels must be {worlds} integers, one for each world, not {levels!r}")
    if array.min() < 0 or array.max() >= count:
        raise IndexError(f"levels must be in 0 to {count - 1}, not {array.tolist()}")
    return array.astype(np.int32)
