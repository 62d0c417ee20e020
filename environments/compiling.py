"""Loops compiled by numba, kept on disk for the next process where there is room for them."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

from numba import njit


def kept(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """The decorator `numba.njit(cache=True, **options)`.

    Where neither the package's folder nor the user's cache can be written, which numba takes for
    an error: without a cache, and with a RuntimeWarning, once.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:
            compiled = njit(**options)(function)  # raises again what has nothing to do with it
            _warn()
            return compiled

    return decorate


@functools.cache
def _warn() -> None:
    warnings.warn(
        "compiled code cannot be kept, so each start takes some seconds longer: set "
        "NUMBA_CACHE_DIR to a folder that can be written",
        RuntimeWarning,
        stacklevel=1,
    )
