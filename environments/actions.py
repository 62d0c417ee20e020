"""Checks actions before a game sees them: clipped where rounding explains it, else refused."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from dm_env import specs

_TOLERANCE = 1e-4  # of the range


class ActionCheck:
    """Checks actions against a spec, in as few array operations as can be.

    After the engine has run, every first use of a NumPy function costs several microseconds, so
    plain numbers are compared.
    """

    def __init__(self, spec: specs.BoundedArray):
        self._spec = spec
        low = np.broadcast_to(spec.minimum, spec.shape)
        high = np.broadcast_to(spec.maximum, spec.shape)
        self._low, self._high = low.ravel().tolist(), high.ravel().tolist()

    def __call__(self, action: Any) -> np.ndarray:
        """As `checked_action`; may be `action` itself."""
        values = np.asarray(action)
        spec = self._spec
        if values.shape != spec.shape or values.dtype.kind not in "fiu":
            raise ValueError(
                f"action must be {spec.shape} numbers, not {values.dtype} of shape {values.shape}"
            )
        for value, low, high in zip(values.ravel().tolist(), self._low, self._high, strict=True):
            if not low <= value <= high:  # NaN is neither
                clipped = np.minimum(np.maximum(values, spec.minimum), spec.maximum)
                _refuse_far(values, clipped, spec)
                return clipped
        return values


def action_check(spec: specs.Array) -> Callable[[Any], Any]:
    """What checks actions of `spec`: an index comes back as int, numbers as an array.

    It raises ValueError for an action that is not within the spec.
    """
    if isinstance(spec, specs.DiscreteArray):
        return lambda action: checked_index(action, int(spec.num_values))
    if not isinstance(spec, specs.BoundedArray):
        raise TypeError(f"actions must be discrete or bounded, not {spec}")
    return ActionCheck(spec)


def checked_index(action: Any, count: int) -> int:
    """`action` as an int in 0 to `count - 1`. Raises ValueError for anything else."""
    try:
        if isinstance(action, bool):
            raise TypeError
        index = operator.index(action)
    except TypeError:
        raise ValueError(f"action must be an integer, not {action!r}") from None
    if not 0 <= index < count:
        raise ValueError(f"action must be in 0 to {count - 1}, not {index}")
    return index


def checked_action(action: Any, spec: specs.BoundedArray) -> np.ndarray:
    """`action` as an array within the bounds of `spec`.

    Raises ValueError for another shape, for values that are no numbers, and for values farther
    than 1e-4 of the range beyond a bound.
    """
    return ActionCheck(spec)(action)


def _refuse_far(values: np.ndarray, clipped: np.ndarray, spec: specs.BoundedArray) -> None:
    if not np.isfinite(values).all():
        raise ValueError(f"action must be finite, not {values}")
    excess = (np.abs(values - clipped) - _TOLERANCE * (spec.maximum - spec.minimum)).ravel()
    if excess.max() > 0:
        worst = int(excess.argmax())
        low, high = (
            np.broadcast_to(bound, spec.shape).flat[worst] for bound in (spec.minimum, spec.maximum)
        )
        raise ValueError(
            f"action[{worst}] must be in {low:g} to {high:g}, not {values.flat[worst]:g}"
        )
