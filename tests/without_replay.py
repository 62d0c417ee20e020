"""Run by itself: everything that shall work without Reverb, TensorFlow and Acme does so.

    python tests/without_replay.py FOLDER

Imports every module but those of the replay, trains for a moment on the device runner, evaluates
what was trained, steps games in physics, films one, and is refused a runner that needs a replay.
FOLDER must be new.
"""

import contextlib
import importlib
import io
import json
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ABSENT = {"reverb", "tensorflow", "acme"}
# What connects to a replay, and is only imported to do so.
REPLAY = ("launch.replay", "launch.acme")
LEVELS = "generated:size=5,boxes=1,count=5,seed=0"
TRAIN = (
    "--agent.channels=4", "--agent.hidden=16", "--agent.environments=4", "--agent.unroll-length=5",
    "--environment.levels=generated:size=6,boxes=1,count=20,seed=0", "--evaluation.episodes=20",
    "--runner.log-frames=100", "--max-frames=1000",
)  # fmt: skip
FILM = ("scripted", "--environment=mujoban", f"--suite={LEVELS}", "--seconds=1", "--size=64")


class Finder(PathFinder):
    """Finds all but what is to be absent."""

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname.partition(".")[0] in ABSENT:
            return None
        return super().find_spec(fullname, path, target)


def modules() -> list[str]:
    """The names of all modules of the project but those of the replay."""
    names = []
    for root in ("environments", "agents", "experiments", "launch", "moravec"):
        for path in sorted((ROOT / root).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if not name.startswith(REPLAY):
                names.append(name)
    return names


def import_all() -> dict[str, str]:
    """Imports all modules; of those that cannot be, the name and why not."""
    failed = {}
    for name in modules():
        try:
            importlib.import_module(name)
        except ImportError as error:
            failed[name] = str(error)
    return failed


def step_physics() -> None:
    """A few steps of a ball and of an arm."""
    import numpy as np

    import environments

    for name, options in (("mujoban", {"levels": LEVELS}), ("mujoxo", {"opponent": "random"})):
        world = environments.load(name, seed=0, **options)
        world.reset()
        spec: Any = world.action_spec()
        for _ in range(5):
            step = world.step(spec.maximum.astype(np.float32))
            assert not step.last()
            assert all(np.isfinite(value).all() for value in step.observation.values())


def main() -> None:
    """Prints one JSON document: versions, and what was reached."""
    sys.meta_path[:] = [Finder if finder is PathFinder else finder for finder in sys.meta_path]
    sys.path.insert(0, str(ROOT))
    present = [name for name in ABSENT if find_spec(name)]
    failed = import_all()
    import jax

    from launch import cli, load_policy

    folder = Path(sys.argv[1])
    run = folder / "run"
    assert cli.main(["train", *TRAIN, "--quiet", f"--run-dir={run}"]) == 0
    assert cli.main(["evaluate", str(run), "--episodes=5"]) == 0
    step_physics()
    assert cli.main(["watch", *FILM, f"--out={folder}/film.mp4"]) == 0
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = cli.main(["train", "mujoban_tiny", f"--run-dir={folder}/refused"])
    print(
        json.dumps(
            {
                "python": sys.version_info[:2],
                "jax": jax.__version__,
                "failed": failed,
                "frames": load_policy(run).frames,
                "film": (folder / "film.mp4").stat().st_size,
                "refused": [status, said.getvalue()],
                "present": sorted({*present, *ABSENT & sys.modules.keys()}),
            }
        )
    )


if __name__ == "__main__":
    main()
