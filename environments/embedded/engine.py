"""MuJoCo, imported so that no library that draws is loaded before something is drawn.

MuJoCo and dm_control load what MUJOCO_GL names when they are imported, and fail if it is missing,
though a world may never draw. A library of OpenGL that is loaded is there for good: it starts
threads, which a fork does not survive, and Mesa's crashes PyTorch's compiler.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any

__all__ = ["Rollout", "mujoco", "undrawn"]

_VARIABLE = "MUJOCO_GL"


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Has MuJoCo and dm_control, imported meanwhile, choose how to draw only when they draw."""
    known = set(sys.modules)
    chosen = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = "disabled"
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE)
        if chosen is not None:
            os.environ[_VARIABLE] = chosen
    for name in _CHOOSERS.keys() & set(sys.modules) - known:
        setattr(sys.modules[name], _CHOOSERS[name], _Postponed(name))


# The modules that choose, and what they then make contexts with, for others in the process.
_CHOOSERS = {
    "mujoco.rendering.classic.gl_context": "GLContext",
    "dm_control._render": "Renderer",
}


class _Postponed:
    """Stands for what a module makes contexts with, until it is called."""

    def __init__(self, module: str):
        self._module = module

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        module = importlib.reload(sys.modules[self._module])
        return getattr(module, _CHOOSERS[self._module])(*args, **kwargs)


with undrawn():
    import mujoco
    from mujoco.rollout import Rollout
