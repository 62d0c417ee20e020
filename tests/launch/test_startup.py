"""The command line answers at once, for it imports nothing heavy before it must."""

import json
import subprocess
import sys

import pytest

from tests.launch.commands import command, environment, moravec

# Libraries that are slow to import.
HEAVY = {
    *("jax", "haiku", "optax", "rlax", "orbax", "tensorflow", "reverb", "ray"),
    *("numpy", "scipy", "numba", "mujoco", "dm_control", "pyspiel", "gymnasium"),
    *("matplotlib", "PIL", "jinja2"),
}


@pytest.mark.parametrize(
    "args", [["--help"], ["--version"], ["list"], ["train", "--help"], ["evaluate", "--help"]]
)
def test_nothing_heavy_is_imported(args):
    code = (
        "import sys; from launch import cli\n"
        f"try: cli.main({args!r})\n"
        "except SystemExit as end: assert not end.code\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert done.stderr == "[]\n"
    assert done.stdout


def test_list():
    done = moravec("list", "--json")
    listed = json.loads(done.stdout)
    assert list(listed) == [
        "environments",
        "agents",
        "experiments",
        "suites",
        "sweeps",
        "pretrained",
    ]
    assert "sokoban" in listed["environments"]
    assert {"drc", "resnet", "cnn"} <= set(listed["agents"])
    shown = moravec("list", "experiments", "suites").stdout
    for name in (*listed["experiments"], *listed["suites"]):
        assert name in shown
    assert "resnet_" not in shown
    assert "sokoban_small" in shown


def test_reader_goes_away():
    """`moravec list | true`: no traceback."""
    process = subprocess.Popen(
        command("list"), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1
