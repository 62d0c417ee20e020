"""Pictures of a scene, headless on EGL or OSMesa, from one persistent context per renderer.

The worlds of a process draw one after another, whatever their threads. Mesa's software renderer
(`llvmpipe_flush_resource`, release 22.3) looks through what all other contexts of the process are
drawing before it writes to a buffer, and crashes should one of them change that meanwhile: it took
some 80,000 pictures of 32 worlds. Processes do not wait for each other.
"""

import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from environments.embedded.contexts import abandon, check_process, new_context, release
from environments.embedded.engine import mujoco

_turn = threading.Lock()  # of all renderers


class Renderer:
    """Renders worlds that share their textures and meshes, in any size, in one GL context.

    Of two kinds: fast, for observations, without shadows, reflections and smoothed edges, curved
    things of few facets; handsome, for people, with all of them. Threads may share it.
    """

    def __init__(self):
        self._backend = ""
        self._gl: Any = None  # made for the first picture
        self._closed = False
        self._contexts: dict[bool, mujoco.MjrContext] = {}  # by handsome or not
        self._scene: Any = None
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._option = mujoco.MjvOption()

    def render(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        camera: str,
        height: int,
        width: int,
        *,
        handsome: bool = False,
    ) -> np.ndarray:
        """What `camera` sees, a new `[height, width, 3] uint8`.

        Poses are taken as they are in `data`. Raises ValueError if there is no such camera,
        RuntimeError once the renderer is closed, CannotRenderError, a UserError that names the
        packages, if this machine cannot render.
        """
        check_process()
        with _undisturbed(), _turn:
            return self._render(model, data, camera, height, width, handsome)

    def _render(self, model, data, camera: str, height: int, width: int, handsome: bool):
        if self._closed:
            raise RuntimeError("the renderer is closed")
        if self._gl is None:
            self._backend, self._gl = new_context()
            _open.add(self)
            atexit.unregister(_close_all)
            atexit.register(_close_all)  # after, so that it runs before the library's own
        self._camera.fixedcamid = _camera_id(model, camera)
        self._gl.make_current()
        try:
            context = self._context(model, handsome, height, width)
            scene = self._updated_scene(model, data, handsome)
            picture = np.empty((height, width, 3), np.uint8)
            frame = mujoco.MjrRect(0, 0, width, height)
            mujoco.mjr_render(frame, scene, context)
            mujoco.mjr_readPixels(picture, None, frame, context)
        finally:
            release(self._backend)
        return picture[::-1].copy()  # OpenGL's first row is the lowest

    def _context(self, model, handsome: bool, height: int, width: int) -> mujoco.MjrContext:
        """The context of that kind, with room for a picture of this size."""
        context = self._contexts.get(handsome)
        if context is None:
            context = _new_context(model, handsome, height, width)
            self._contexts[handsome] = context
        elif context.offHeight < height or context.offWidth < width:
            size = max(context.offWidth, width), max(context.offHeight, height)
            mujoco.mjr_resizeOffscreen(*size, context)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, context)
        return context

    def _updated_scene(self, model, data, handsome: bool) -> mujoco.MjvScene:
        room = 200 + 4 * (model.ngeom + model.nsite)
        if self._scene is None or self._scene.maxgeom < room:
            self._scene = mujoco.MjvScene(model, maxgeom=room)
        scene = self._scene
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
            scene.flags[flag] = handsome
        # The hulls of meshes, which are also what collides, have half the facets.
        self._option.flags[mujoco.mjtVisFlag.mjVIS_CONVEXHULL] = not handsome
        mujoco.mjv_updateScene(
            model, data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, scene
        )
        return scene

    def close(self) -> None:
        """Frees the contexts, once no thread is rendering; it cannot be used after it."""
        self._closed = True
        with _undisturbed(), _turn:
            if self._gl is not None:
                self._gl.make_current()
                for context in self._contexts.values():
                    context.free()
                release(self._backend)
                self._gl.free()
                self._gl = None
            self._contexts.clear()

    def __del__(self):
        if getattr(self, "_gl", None) is None:
            return
        if _here.busy:
            _here.forgotten.append(self)
        else:
            self.close()


class _Here(threading.local):
    """What one thread is doing: it has but one current context."""

    def __init__(self):
        self.busy = False  # with a context
        self.forgotten: list[Renderer] = []  # while it was


_here = _Here()


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Puts off what the garbage collector would close, and so take the context away."""
    _here.busy = True
    try:
        yield
    finally:
        _here.busy = False
        while _here.forgotten:
            _here.forgotten.pop().close()


_open: weakref.WeakSet[Renderer] = weakref.WeakSet()


def _close_all() -> None:
    """Before the interpreter takes the GL library's bindings apart."""
    for renderer in list(_open):
        renderer.close()


def _after_fork() -> None:
    """In a forked process: no other thread draws, and what the parent draws with is not ours."""
    global _turn
    _turn, _here.busy = threading.Lock(), False
    atexit.unregister(_close_all)
    for renderer in list(_open):
        abandon(renderer._gl, *renderer._contexts.values())
        renderer._gl = None
        renderer._contexts.clear()


os.register_at_fork(after_in_child=_after_fork)


def _new_context(model, handsome: bool, height: int, width: int) -> mujoco.MjrContext:
    """Compiles a context; the model's settings of quality are left as they were."""
    quality, buffer = model.vis.quality, model.vis.global_
    settings = [
        (quality, "offsamples", 4 if handsome else 0),
        (quality, "shadowsize", 2048 if handsome else 0),
        (quality, "numquads", 4 if handsome else 1),
        (quality, "numslices", 28 if handsome else 14),
        (quality, "numstacks", 16 if handsome else 8),
        (buffer, "offheight", height),
        (buffer, "offwidth", width),
    ]
    before = [(holder, name, getattr(holder, name)) for holder, name, _ in settings]
    try:
        _set(settings)
        return mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
    finally:
        _set(before)


def _set(settings: list[tuple[Any, str, int]]) -> None:
    for holder, name, value in settings:
        setattr(holder, name, value)


def _camera_id(model: mujoco.MjModel, camera: str) -> int:
    found = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, camera)
    if found < 0:
        names = ", ".join(model.camera(i).name for i in range(model.ncam))
        raise ValueError(f"there is no camera {camera!r}: choose from {names}")
    return found
