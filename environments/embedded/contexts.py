"""Contexts of OpenGL without a window: which library makes them, and what to install without one.

Nothing is loaded before the first context.
"""

import atexit
import ctypes
import importlib
import os
import sys
import warnings
from typing import Any

from environments.errors import UserError

_PACKAGES = {"egl": "libegl1 and libgl1-mesa-dri", "osmesa": "libosmesa6"}
_MISSING = f"install the packages {_PACKAGES['egl']} (or {_PACKAGES['osmesa']})"
_ADVICE = {
    "egl": f"install the packages {_PACKAGES['egl']}",
    "osmesa": f"install the package {_PACKAGES['osmesa']}",
    "glfw": f"glfw needs a display; without one unset MUJOCO_GL and {_MISSING}",
}
# What MUJOCO_GL may be beside these: MuJoCo's words for any, and for none.
_ANY = ("", "on", "enable", "enabled", "true", "1", "glx", "cgl")
_NONE = ("off", "disable", "disabled", "false", "0")

_loaded_by: int | None = None  # the process that has loaded a library


class CannotRenderError(UserError):
    """This machine, or this process, has nothing to render with."""


def new_context() -> tuple[str, Any]:
    """The backend, egl, osmesa or glfw, and a context of MuJoCo's class for it.

    MUJOCO_GL says which; unless it is set, the first that works. Raises CannotRenderError that
    says what is missing.
    """
    global _loaded_by
    check_process()
    _loaded_by = os.getpid()
    # Mesa's own threads: small pictures are not worth them, and many worlds keep the cores busy.
    os.environ.setdefault("LP_NUM_THREADS", "0")
    chosen = os.environ.get("MUJOCO_GL", "").lower().strip()
    if chosen in _ADVICE:
        try:
            return chosen, _context(chosen)
        except Exception as error:
            raise CannotRenderError(
                f"cannot render with MUJOCO_GL={chosen} ({_reason(error)}): {_ADVICE[chosen]}"
            ) from None
    if chosen in _NONE:
        raise CannotRenderError(f"MUJOCO_GL={chosen} forbids rendering: unset it, or {_MISSING}")
    if chosen not in _ANY:
        raise CannotRenderError(
            f"MUJOCO_GL={chosen} names no renderer: unset it, or choose from {', '.join(_ADVICE)}"
        )
    for backend in ("egl", "osmesa") if sys.platform == "linux" else ("glfw",):
        try:
            return backend, _context(backend)
        except Exception:
            continue
    raise CannotRenderError(f"no library to render with: {_MISSING}")


def check_process() -> None:
    """Raises CannotRenderError in a fork of a process that has drawn: it would hang."""
    if _loaded_by not in (None, os.getpid()):
        raise CannotRenderError(
            "this process was forked from one that had rendered, and cannot: start processes by "
            "spawn or forkserver, or render nothing before the fork"
        )


def _context(backend: str) -> Any:
    known, platform = set(sys.modules), os.environ.get("PYOPENGL_PLATFORM")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of glfw, where there is no display
            context = importlib.import_module(f"mujoco.{backend}").GLContext(64, 64)
        if not context._context:
            raise RuntimeError("it makes no context")
    except BaseException:
        # PyOpenGL has settled for this backend: it is to choose anew.
        for name in set(sys.modules) - known:
            if name.partition(".")[0] == "OpenGL" or name.startswith(f"mujoco.{backend}"):
                del sys.modules[name]
        os.environ.pop("PYOPENGL_PLATFORM", None)
        if platform is not None:
            os.environ["PYOPENGL_PLATFORM"] = platform
        raise
    return context  # MuJoCo draws into buffers of its own, so that its size does not matter


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def release(backend: str) -> None:
    """Leaves the current thread without a context, so that another thread may use it."""
    if backend == "egl":
        from mujoco import egl

        none = egl.EGL.EGL_NO_SURFACE
        egl.EGL.eglMakeCurrent(egl.EGL_DISPLAY, none, none, egl.EGL.EGL_NO_CONTEXT)


def abandon(*held: Any) -> None:
    """Has a forked process never free what its parent holds of OpenGL: that would hang."""
    for each in held:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))
    if egl := sys.modules.get("mujoco.egl"):
        atexit.unregister(egl.EGL.eglTerminate)
