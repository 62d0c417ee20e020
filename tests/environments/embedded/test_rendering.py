"""Pictures: sizes, kinds, threads, models left alone, machines that cannot render."""

import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest

from environments.embedded.rendering import Renderer
from tests.environments.embedded.test_simulation import CART

ROOT = Path(__file__).parents[3]
SCENE = """
<mujoco>
  <asset>
    <texture name="sky" type="skybox" builtin="flat" rgb1="0 0 1" width="8" height="8"/>
  </asset>
  <worldbody>
    <light pos="1 -1 3" dir="-0.3 0.3 -1" castshadow="true"/>
    <geom type="plane" size="1 1 1" rgba="1 1 1 1"/>
    <geom name="ball" type="sphere" pos="0 0 0.5" size="0.2" rgba="1 0 0 1"/>
    <camera name="top" pos="0 0 3"/>
    <camera name="side" pos="0 -3 1" xyaxes="1 0 0 0 0.3 1"/>
  </worldbody>
</mujoco>
"""


@pytest.fixture
def scene():
    model = mujoco.MjModel.from_xml_string(SCENE)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


@pytest.fixture
def renderer(scene):
    (model, data), renderer = scene, Renderer()
    renderer.render(model, data, "top", 4, 4)
    yield renderer
    renderer.close()


def test_pictures_show_the_scene(renderer, scene):
    picture = renderer.render(*scene, "side", 40, 60)
    assert picture.shape == (40, 60, 3)
    assert picture.dtype == np.uint8
    assert picture[0, 30, 2] > picture[0, 30, 0]  # sky above: rows go downwards
    ball = (picture[..., 0] > 60) & (picture[..., 1] < 30)
    assert 20 < ball.sum() < 400


def test_sizes_do_not_disturb_each_other(renderer, scene):
    small, large = ((renderer.render(*scene, "top", n, n)) for n in (16, 200))
    np.testing.assert_array_equal(renderer.render(*scene, "top", 16, 16), small)
    np.testing.assert_array_equal(renderer.render(*scene, "top", 200, 200), large)
    assert renderer.render(*scene, "top", 100, 300).shape == (100, 300, 3)


def test_a_picture_is_ones_own(renderer, scene):
    first = renderer.render(*scene, "top", 16, 16)
    second = renderer.render(*scene, "top", 16, 16)
    assert not np.may_share_memory(first, second)
    assert first.flags.writeable
    assert first.flags.c_contiguous


def test_handsome_pictures_have_shadows_and_leave_fast_ones_alone(renderer, scene):
    fast = renderer.render(*scene, "top", 64, 64)
    handsome = renderer.render(*scene, "top", 64, 64, handsome=True)
    floor = fast[..., 1] > 100  # neither ball nor sky
    assert handsome[floor, 1].min() < fast[floor, 1].min() - 30
    np.testing.assert_array_equal(renderer.render(*scene, "top", 64, 64), fast)


def test_the_model_is_left_as_it_was(renderer, scene):
    model, _ = scene
    names = ("offsamples", "shadowsize", "numquads", "numslices", "numstacks")
    before = [getattr(model.vis.quality, name) for name in names], model.vis.global_.offwidth
    renderer.render(*scene, "top", 10, 10)
    assert before == (
        [getattr(model.vis.quality, name) for name in names],
        model.vis.global_.offwidth,
    )


def test_threads_may_take_turns(renderer, scene):
    expected = renderer.render(*scene, "top", 32, 32)
    pictures = []

    def draw():
        pictures.extend(renderer.render(*scene, "top", 32, 32) for _ in range(10))

    threads = [threading.Thread(target=draw) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pictures) == 30
    assert all(np.array_equal(picture, expected) for picture in pictures)


def test_many_renderers_at_once(scene):
    model, data = scene
    renderers = [Renderer() for _ in range(3)]
    pictures = [each.render(model, data, "top", 24, 24) for each in renderers]
    renderers[1].close()
    pictures.append(renderers[2].render(model, data, "top", 24, 24))
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
    for renderer in renderers:
        renderer.close()


def test_renderers_of_all_threads_take_turns(renderer, scene, monkeypatch):
    """Mesa crashes, if seldom, when two contexts of one process draw at the same time."""
    model, data = scene
    renderer.close()
    drawing: list[int] = []
    together: list[int] = []
    original: Any = mujoco.mjr_render

    def watched(*args):
        drawing.append(1)
        together.append(len(drawing))
        original(*args)
        time.sleep(0.001)
        drawing.pop()

    def draw():
        own = Renderer()
        for _ in range(5):
            own.render(model, data, "top", 24, 24)
        own.close()

    monkeypatch.setattr(mujoco, "mjr_render", watched)
    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [1] * 20


def test_a_forgotten_renderer_does_not_disturb_another(renderer, scene, monkeypatch):
    """The garbage collector may find it while a picture is drawn."""
    expected = renderer.render(*scene, "top", 24, 24)
    forgotten = Renderer()
    model, data = scene
    forgotten.render(model, data, "top", 24, 24)
    freed: list = []
    monkeypatch.setattr(forgotten._gl, "free", lambda free=forgotten._gl.free: freed.append(free()))
    cycle: list = [forgotten]
    cycle.append(cycle)
    updated_scene: Any = renderer._updated_scene

    def collected(*args):
        gc.collect()
        assert not freed
        return updated_scene(*args)

    monkeypatch.setattr(renderer, "_updated_scene", collected)
    del forgotten, cycle
    np.testing.assert_array_equal(renderer.render(*scene, "top", 24, 24), expected)
    assert freed


def test_a_scene_of_more_parts_has_room_too(renderer, scene):
    """Worlds of levels with few and with many boxes share a renderer."""
    renderer.render(*scene, "top", 64, 64)
    model = mujoco.MjModel.from_xml_string(
        SCENE.replace(
            '<geom name="ball"',
            "".join(f'<site pos="{i % 40} 0 9"/>' for i in range(300))
            + '</worldbody><worldbody><geom name="ball"',
        )
    )
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    renderer.render(model, data, "top", 64, 64)
    assert renderer._scene.ngeom > 300


def test_an_unknown_camera_lists_the_choices(renderer, scene):
    with pytest.raises(ValueError, match=r"no camera 'tpo': choose from top, side"):
        renderer.render(*scene, "tpo", 10, 10)


PROGRAM = f"""
from environments.embedded.engine import mujoco
from environments.embedded.rendering import Renderer
model = mujoco.MjModel.from_xml_string('''{CART}''')
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
print(Renderer().render(model, data, "eye", 8, 8).shape)
"""


def run(backend: str, program: str = PROGRAM) -> subprocess.CompletedProcess:
    """Renders in a process of its own, and leaves without closing anything."""
    environment = {key: value for key, value in os.environ.items() if key != "PYOPENGL_PLATFORM"}
    environment["MUJOCO_GL"] = backend
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.parametrize("backend", ["egl", "osmesa"])
def test_a_process_that_renders_ends_quietly(backend):
    done = run(backend)
    if "CannotRenderError" in done.stderr:
        assert run(backend, "import mujoco; mujoco.GLContext(8, 8)").returncode
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.stdout == "(8, 8, 3)\n"
    assert done.stderr == ""


MISSING = """
import ctypes, os, sys
from environments.embedded.contexts import new_context
load = ctypes.CDLL.__init__

def hidden(self, name, *args, **kwargs):
    if name and any(part in str(name) for part in ("EGL", "OSMesa", "libGL")):
        raise OSError(f"{name}: cannot open shared object file")
    load(self, name, *args, **kwargs)

ctypes.CDLL.__init__ = hidden
os.environ.pop("DISPLAY", None)
for backend in ("egl", "osmesa", "glfw", "disabled", "gl", ""):
    os.environ["MUJOCO_GL"] = backend
    try:
        new_context()
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_without_a_library_one_line_names_the_packages():
    done = subprocess.run(
        [sys.executable, "-c", MISSING], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["CannotRenderError"] * 6, done.stdout
    egl, osmesa, glfw, disabled, nonsense, unset = lines
    packages = "install the packages libegl1 and libgl1-mesa-dri"
    assert egl.endswith(packages)
    assert osmesa.endswith("install the package libosmesa6")
    for line in (glfw, disabled, unset):
        assert line.endswith(f"{packages} (or libosmesa6)")
    assert nonsense.endswith("choose from egl, osmesa, glfw")
    assert done.stderr == ""


UNDRAWN = """
import os, sys
import numpy as np
from tests.environments.cases import CASES
for name in ("mujoban", "mujoxo"):
    environment = CASES[name].load(name)
    environment.reset()
    environment.step(environment.action_spec().maximum)
maps = open("/proc/self/maps").read()
print([library for library in ("libEGL", "libGL", "libOSMesa") if library in maps])
environment.close()
"""


@pytest.mark.parametrize("backend", ["egl", "nonsense"])
def test_nothing_that_draws_is_loaded_before_something_is_drawn(backend):
    environment = {**os.environ, "MUJOCO_GL": backend}
    environment.pop("PYOPENGL_PLATFORM", None)
    command = [sys.executable, "-c", UNDRAWN]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


FORKED = f"""
import os
from environments.embedded.engine import mujoco
from environments.embedded.rendering import Renderer
model = mujoco.MjModel.from_xml_string('''{CART}''')
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)

def forked(renderer):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        for each in (renderer, Renderer()):
            try:
                print(each.render(model, data, "eye", 8, 8).shape, flush=True)
            except Exception as error:
                print(type(error).__name__, flush=True)
            each.close()
    finally:
        os._exit(0)  # as processes of multiprocessing end: Mesa would wait for its threads

renderer = Renderer()
assert forked(renderer) == 0
print(renderer.render(model, data, "eye", 8, 8).shape, flush=True)
assert forked(renderer) == 0
print(renderer.render(model, data, "eye", 8, 8).shape, flush=True)
"""


def test_a_fork_draws_if_its_parent_has_not_and_else_says_that_it_cannot():
    command = [sys.executable, "-c", FORKED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    if "CannotRenderError" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    shape = "(8, 8, 3)"
    expected = [shape, shape, shape, "CannotRenderError", "CannotRenderError", shape]
    assert done.stdout.splitlines() == expected, done.stderr
