"""The command line answers at once: CPU seconds of the process, and no JAX in it."""

import json
import os
import subprocess
import sys

import pytest

from tests.launch.commands import command, environment, moravec


def _cpu_seconds(*args) -> float:
    """CPU seconds of `moravec ARGS`, the best of three: the first may compile to bytecode."""
    seconds = []
    for _ in range(3):
        process = subprocess.Popen(
            command(*args), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        seconds.append(usage.ru_utime + usage.ru_stime)
    return min(seconds)


@pytest.mark.parametrize(
    ("args", "limit"), [(["--help"], 1.0), (["list"], 2.0), (["train", "--help"], 2.0)]
)
def test_start_up_time(args, limit):
    assert _cpu_seconds(*args) < limit


@pytest.mark.parametrize(
    "args", [["--help"], ["--version"], ["list"], ["train", "--help"], ["evaluate", "--help"]]
)
def test_nothing_heavy_is_imported(args):
    code = (
        "import sys; from launch import cli\n"
        f"try: cli.main({args!r})\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'jax', 'numpy', 'mujoco', 'tensorflow', 'haiku'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
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
