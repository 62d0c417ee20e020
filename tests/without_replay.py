"""Run by itself: everything that shall work without Reverb, TensorFlow and Acme does so.

    python tests/without_replay.py FOLDER

Imports every module but those of the replay, trains for a moment on the device runner, evaluates
what was trained, and steps a game in physics. FOLDER must be new.
"""

import importlib
import json
import sys
from importlib.machinery import PathFinder
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ABSENT = ("reverb", "tensorflow", "acme")
# What connects to a replay, and is only imported to do so.
REPLAY = ("launch.replay", "launch.acme")
TRAIN = (
    "--agent.channels=4", "--agent.hidden=16", "--agent.environments=4", "--agent.unroll-length=5",
    "--environment.levels=generated:size=6,boxes=1,count=20,seed=0", "--evaluation.episodes=20",
    "--runner.log-frames=100", "--max-frames=1000",
)  # fmt: skip


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
    for root in ("environments", "agents", "experiments", "launch"):
        for path in sorted((ROOT / root).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if not name.startswith(REPLAY):
                names.append(name)
    return names


def main() -> None:
    """Prints one JSON document: versions, and what was reached."""
    sys.meta_path[:] = [Finder if finder is PathFinder else finder for finder in sys.meta_path]
    sys.path.insert(0, str(ROOT))
    failed = {}
    for name in modules():
        try:
            importlib.import_module(name)
        except ImportError as error:
            failed[name] = str(error)
    import jax
    import numpy as np

    import environments
    from launch import cli, load_policy

    run = Path(sys.argv[1]) / "run"
    assert cli.main(["train", *TRAIN, "--quiet", f"--run-dir={run}"]) == 0
    assert cli.main(["evaluate", str(run), "--episodes=5"]) == 0
    world = environments.load("mujoban", seed=0, levels="generated:size=5,boxes=1,count=5,seed=0")
    world.reset()
    step = world.step(np.zeros(3, np.float32))
    assert not step.last()
    print(
        json.dumps(
            {
                "python": sys.version_info[:2],
                "jax": jax.__version__,
                "failed": failed,
                "frames": load_policy(run).frames,
                "present": sorted(set(ABSENT) & set(sys.modules)),
            }
        )
    )


if __name__ == "__main__":
    main()
