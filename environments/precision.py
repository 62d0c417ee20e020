"""Numbers of 32 bits, as all specs have them, also where the user has JAX work with 64."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.experimental

from environments.errors import UserError

_Function = TypeVar("_Function", bound=Callable[..., Any])
# JAX 0.8 has moved it.
_enable_x64: Any = getattr(jax, "enable_x64", None) or jax.experimental.enable_x64


def in_32_bits(function: _Function) -> _Function:
    """`function`, run as if `jax_enable_x64` were off.

    What it calls is compiled within: a function that is jitted has to be so before it is given.
    """

    @functools.wraps(function)
    def narrow(*args: Any, **kwargs: Any) -> Any:
        with _enable_x64(False):
            return function(*args, **kwargs)

    return narrow  # pyright: ignore[reportReturnType]


def require_32_bits(who: str) -> None:
    """Raises UserError if JAX works with 64 bits here, which `who` cannot."""
    if jax.config.jax_enable_x64:  # pyright: ignore[reportAttributeAccessIssue]
        raise UserError(
            f"{who} cannot work with jax_enable_x64: call the compiled function within `with "
            "jax.experimental.enable_x64(False)`, or use environments.load_vector"
        )
