"""The checks of `moravec doctor`, each run by a process of its own.

A check returns what it found, or raises; libraries are imported by name inside, so that one that
is absent or crashes takes nothing else down.
"""

import contextlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from environments.errors import reason
from launch import child
from launch.doctor_advice import ACME, REPLAY, REVERB, SYNC, TENSORFLOW
from launch.platforms import wrong_settings

ALONE = "--check"  # the option of `moravec doctor` that makes one check, in its own process
_GIB = 2**30
_SECONDS = 10.0  # that a program may take to answer


@dataclass(frozen=True)
class Finding:
    """What a check found, and what to do if it is not ok."""

    status: Literal["ok", "missing", "broken"]
    detail: str
    advice: str = ""


@dataclass(frozen=True)
class Check:
    """One row of the report. A required one must be ok for `moravec train` to work."""

    run: Callable[[], Finding]
    required: bool
    needed_for: str


def _import(name: str) -> Any:
    return importlib.import_module(name)


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def python() -> Finding:
    """The interpreter: 3.11 holds everything, 3.12 all but the replay path."""
    version = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info < (3, 13):
        return Finding("broken", version, "use Python 3.11 or 3.12")
    return Finding("ok", version)


def numpy() -> Finding:
    """NumPy, with a small product."""
    np = _import("numpy")
    if (np.ones((2, 2)) @ np.ones((2, 2))).sum() != 8:
        return Finding("broken", f"{np.__version__} computes wrongly", SYNC)
    return Finding("ok", np.__version__)


def numba() -> Finding:
    """Numba compiles and runs a function."""
    module = _import("numba")
    if module.njit(lambda x: x + 1)(1) != 2:
        return Finding("broken", f"{module.__version__} computes wrongly", SYNC)
    return Finding("ok", module.__version__)


def jax() -> Finding:
    """JAX, its devices, and a compiled program on the first."""
    module = _import("jax")
    jaxlib = _import("jaxlib")
    devices = module.devices()
    module.jit(lambda x: x @ x)(module.numpy.ones((8, 8))).block_until_ready()
    kinds = {f"{device.platform} ({device.device_kind})" for device in devices}
    detail = f"{module.__version__}, jaxlib {jaxlib.__version__}, {len(devices)} x "
    detail += ", ".join(sorted(kinds))
    if shutil.which("nvidia-smi") and devices[0].platform == "cpu":
        return Finding("ok", detail, "there is an NVIDIA GPU: `uv sync --extra cuda` uses it")
    return Finding("ok", detail)


def learning() -> Finding:
    """Haiku, rlax, optax, distrax, with TensorFlow hidden, which they would import."""
    loaded: dict[str, Any] = sys.modules  # None is allowed, which typeshed does not know
    loaded["tensorflow"] = None
    os.environ["JAX_PLATFORMS"] = "cpu"  # the row JAX tells of others
    names = {"dm-haiku": "haiku", "rlax": "rlax", "optax": "optax", "distrax": "distrax"}
    modules = {distribution: _import(name) for distribution, name in names.items()}
    ones = _import("jax.numpy").ones(3)
    modules["rlax"].vtrace(ones, ones, ones, ones, ones)
    return Finding("ok", ", ".join(f"{name} {_version(name)}" for name in modules))


def orbax() -> Finding:
    """Orbax saves a checkpoint and gives it back."""
    os.environ["JAX_PLATFORMS"] = "cpu"  # likewise
    checkpoint, np = _import("orbax.checkpoint"), _import("numpy")
    with tempfile.TemporaryDirectory() as folder, checkpoint.StandardCheckpointer() as saver:
        saver.save(Path(folder) / "one", {"x": np.arange(3)})
        saver.wait_until_finished()
        back = saver.restore(Path(folder) / "one", {"x": np.arange(3)})
    if list(back["x"]) != [0, 1, 2]:
        return Finding("broken", f"{checkpoint.__version__} restores wrongly", SYNC)
    return Finding("ok", checkpoint.__version__)


def run_folder() -> Finding:
    """Whether runs can be written under the current folder, and how much."""
    folder = Path("runs").absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    detail = f"{free / _GIB:.1f} GiB free in {folder}"
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        advice = "start from a folder you may write to, or give --run-dir"
        return Finding("broken", f"{folder}: {reason(error)}", advice)
    if free < _GIB:
        return Finding("broken", detail, "make room, or give --run-dir on another disk")
    return Finding("ok", detail)


def dm_control() -> Finding:
    """dm_control and MuJoCo fit each other: a model is compiled and stepped."""
    mujoco = _version("mujoco")
    if mujoco and int(mujoco.split(".")[0]) >= 4:
        advice = "run `uv sync`; with pip, `pip install 'mujoco>=3.17,<4'`"
        return Finding("broken", f"MuJoCo {mujoco} is too new for dm_control", advice)
    mjcf = _import("dm_control.mjcf")
    root = mjcf.RootElement()
    body = root.worldbody.add("body", pos=[0, 0, 1])
    body.add("freejoint")
    body.add("geom", type="sphere", size=[0.1])
    physics = mjcf.Physics.from_mjcf_model(root)
    physics.step()
    return Finding("ok", f"dm_control {_version('dm-control')}, MuJoCo {mujoco}")


_SCENE = """
<mujoco><worldbody>
  <light pos="0 0 3"/><geom type="plane" size="1 1 .1" rgba=".2 .4 .2 1"/>
  <geom type="box" size=".2 .2 .2" pos="0 0 .2" rgba=".9 .2 .1 1"/>
</worldbody></mujoco>
"""


def frame() -> Finding:
    """A small scene rendered by the backend that MUJOCO_GL names."""
    mujoco = _import("mujoco")
    model = mujoco.MjModel.from_xml_string(_SCENE)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with mujoco.Renderer(model, 64, 64) as renderer:
        renderer.update_scene(data)
        pixels = renderer.render()
    if pixels.std() < 1:
        return Finding("broken", "the frame is all of one colour")
    return Finding("ok", f"{len(set(map(tuple, pixels.reshape(-1, 3))))} colours")


def rendering() -> Finding:
    """Which of MuJoCo's backends renders a frame; the user's MUJOCO_GL alone, if it is set."""
    chosen = os.environ.get("MUJOCO_GL")
    default = ["egl", "osmesa"] if sys.platform == "linux" else ["glfw"]
    backends = [chosen] if chosen else default
    # A backend is fixed when MuJoCo is imported, and a missing one may end the process.
    command = child.command("doctor", ALONE, "frame")
    works = []
    for backend in backends:
        environment = os.environ | {"MUJOCO_GL": backend}
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                command, env=environment, capture_output=True, check=False, timeout=_SECONDS
            )
            if done.returncode == 0 and parse(done.stdout.decode()).status == "ok":
                works.append(backend)
    detail = f"MuJoCo {_version('mujoco')}"
    if works:
        return Finding("ok", f"{detail}, a frame by {' and by '.join(works)}")
    advice = "install the Debian package libegl1 (or libosmesa6)"
    if chosen:
        advice = f"unset MUJOCO_GL={chosen}, or install what it needs"
    return Finding("missing", f"{detail}, but no frame by {' or '.join(backends)}", advice)


def _replay_absent() -> Finding | None:
    """The finding where Reverb, TensorFlow and Acme have no wheels, so are not installed."""
    if sys.version_info < (3, 12) and sys.platform == "linux":
        return None
    place = f"Python {_minor(sys.version)}" if sys.platform == "linux" else sys.platform
    return Finding("missing", f"absent, as expected on {place}: the device runner works")


def reverb() -> Finding:
    """Reverb and TensorFlow fit each other: a server takes an item and gives it back."""
    found, tensorflow = _version("dm-reverb"), _version("tensorflow-cpu") or _version("tensorflow")
    if found is None and (absent := _replay_absent()):
        return absent
    if found is None or tensorflow is None:
        lacking = "dm-reverb" if found is None else "tensorflow-cpu"
        return Finding("missing", f"{lacking} is not installed", REPLAY)
    detail = f"dm-reverb {found}, TensorFlow {tensorflow}"
    if (found, tensorflow) != (REVERB, TENSORFLOW):
        return Finding("broken", f"{detail} do not fit", REPLAY)
    from launch.replay.loopback import shut_out

    _import("tensorflow")
    module, np = _import("reverb"), _import("numpy")
    server = module.Server([module.Table.queue("queue", 1)])
    shut_out(server.port)
    client = module.Client(f"localhost:{server.port}")
    client.insert([np.float32(1)], {"queue": 1.0})
    next(iter(client.sample("queue", 1)))
    server.stop()
    return Finding("ok", detail)


def acme() -> Finding:
    """Acme's version; it is not imported, since it wants Launchpad, which has no wheel."""
    found = _version("dm-acme")
    if found == "0.4.0":
        return Finding("ok", found)
    if found is None and (absent := _replay_absent()):
        return absent
    if found is None:
        return Finding("missing", "dm-acme is not installed", ACME)
    return Finding("broken", f"{found}, not 0.4.0", ACME)


def ray() -> Finding:
    """Ray can be imported; no cluster is started."""
    return Finding("ok", _import("ray").__version__)


def ffmpeg() -> Finding:
    """The ffmpeg that writes videos runs."""
    program = _import("imageio_ffmpeg").get_ffmpeg_exe()
    done = _run(program, "-version")
    return Finding("ok", " ".join(done.stdout.split()[:3]))


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)


def gnugo() -> Finding:
    """GNU Go, a separate program."""
    program = _import("environments.players.gnugo").find_gnugo()
    if program is None:
        advice = "`apt-get install gnugo`, if you want it as an opponent"
        return Finding("missing", "not installed", advice)
    done = _run(program, "--version")
    return Finding("ok", f"{done.stdout.splitlines()[0]}, {program}")


def boxoban() -> Finding:
    """The Boxoban levels: in the folder that MORAVEC_BOXOBAN names, else in the cache."""
    levels = _import("environments.games.sokoban.boxoban")
    given = os.environ.get(levels.VARIABLE)
    if given and not Path(given).is_dir():
        advice = f"let {levels.VARIABLE} name the folder that holds unfiltered/, medium/, hard/"
        return Finding("broken", f"{levels.VARIABLE}={given} is no folder", advice)
    folders = [*([Path(given)] if given else []), levels.cache_folder()]
    for folder in folders:
        if files := sum(1 for part in levels.LEVELS for _ in (folder / part).glob("*.txt")):
            return Finding("ok", f"level files in {folder}: {files}")
    unset = "" if given else f"{levels.VARIABLE} is not set, and "
    detail = f"{unset}no levels are in {' or '.join(map(str, folders))}"
    return Finding("missing", detail, "they are downloaded when they are first asked for")


CHECKS = {
    "Python": Check(python, True, "everything"),
    "NumPy": Check(numpy, True, "everything"),
    "JAX": Check(jax, True, "everything"),
    "learning": Check(learning, True, "agents"),
    "Orbax": Check(orbax, True, "checkpoints"),
    "Numba": Check(numba, True, "generated levels"),
    "run folder": Check(run_folder, True, "training"),
    "dm_control": Check(dm_control, False, "embedded games"),
    "rendering": Check(rendering, False, "embedded games"),
    "ffmpeg": Check(ffmpeg, False, "videos"),
    "Reverb": Check(reverb, False, "replay"),
    "Acme": Check(acme, False, "replay"),
    "Ray": Check(ray, False, "many machines"),
    "Boxoban": Check(boxoban, False, "boxoban: levels"),
    "GNU Go": Check(gnugo, False, "Go opponent"),
}


def parse(output: str) -> Finding:
    """The finding in what a check printed: its last line, whatever libraries printed before."""
    return Finding(**json.loads(output.splitlines()[-1]))


def examine(check: Callable[[], Finding]) -> Finding:
    """Runs a check; an exception becomes a finding."""
    try:
        return check()
    except ModuleNotFoundError as error:
        return Finding("missing", str(error), SYNC)
    except Exception as error:
        if wrong := wrong_settings(error):
            what, _, advice = wrong.rpartition(": ")
            return Finding("broken", what, advice)
        return Finding("broken", _line(error), SYNC)


def _line(error: Exception) -> str:
    """The kind of an exception, and its first line if it has one."""
    return ": ".join([type(error).__name__, *str(error).strip().splitlines()[:1]])


def alone(name: str) -> Finding:
    """What one check finds; besides those of CHECKS there is `frame`."""
    return examine(frame if name == "frame" else CHECKS[name].run)
