"""A disk that is really full: one line for each, nothing half-written, nothing lost."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Runs in a namespace of its own, where anyone may mount a small file system.
MOUNT = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" -c "$3" "$1"'

FILL = """
import contextlib, sys
from pathlib import Path

import dm_env.specs, jax, numpy as np

from environments.base import EnvironmentSpec
from environments.errors import UserError
from launch import checkpoints, files, loggers, published, run_folder, tensorboard

root = Path(sys.argv[1])
run = run_folder.create(root / "run")
spec = EnvironmentSpec({}, dm_env.specs.DiscreteArray(2), ("won",))
small = {"m": {"w": np.arange(100, dtype=np.float32)}}
big = {"m": {"w": np.random.default_rng(0).normal(size=200_000)}}


def refused(function, *arguments, **options):
    try:
        function(*arguments, **options)
    except UserError as error:
        assert "no space left on device; free some space" in str(error), error
        assert "\\n" not in str(error)
        return True
    return False


checkpoints.save(run.checkpoints, 1, small, identity={})
published.publish(run.policy, small, spec, 1)
csv = loggers.CSVLogger(run.metrics, ["frames", "x"])
text = loggers.TextLogger(run.log)
board = tensorboard.TensorBoardLogger(run.tensorboard)

assert refused(checkpoints.save, run.checkpoints, 2, big, identity={})
assert refused(published.publish, run.policy, big, spec, 2)

with open(root / "ballast", "wb", buffering=0) as ballast, contextlib.suppress(OSError):
    while True:
        ballast.write(bytes(4096))

for logger in (csv, text, board):
    assert any(refused(logger.write, {"frames": i, "x": 0.5}) for i in range(10_000)), logger
assert refused(files.atomic_write, run.config, "{}")
assert refused(checkpoints.save, run.checkpoints, 3, small, identity={})

(root / "ballast").unlink()
names = {path.name for path in run.path.iterdir()}
assert names == {".lock", "checkpoints", "policy.npz", "metrics.csv", "log.txt", "tensorboard"}
assert [path.name for path in run.checkpoints.iterdir()] == ["1"]
restored = checkpoints.restore(run.checkpoints, small, identity={})
assert restored.state["m"]["w"].tobytes() == small["m"]["w"].tobytes()
assert published.load(run.policy).frames == 1
rows = loggers.read_csv(run.metrics)
assert rows == [{"frames": i, "x": 0.5} for i in range(len(rows))]

# With space again, it goes on where it was.
csv.write({"frames": len(rows), "x": 0.5})
assert len(loggers.read_csv(run.metrics)) == len(rows) + 1
checkpoints.save(run.checkpoints, 3, small, identity={})
print("all told")
"""


def _may_mount(folder: Path) -> bool:
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    return subprocess.run([*_command(folder), "pass"], capture_output=True).returncode == 0


def _command(folder: Path) -> list[str]:
    return ["unshare", "-rm", "sh", "-c", MOUNT, "sh", str(folder), sys.executable]


def test_full_disk(tmp_path):
    if not _may_mount(tmp_path):
        pytest.skip("mounting a small file system is not allowed here")
    done = subprocess.run([*_command(tmp_path), FILL], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "all told\n"
    assert done.stderr == ""
