"""Lost and damaged checkpoints, a disk that is full or read-only, two processes for one run."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from launch import checkpoints
from tests.launch.commands import (
    ROOT,
    SECONDS,
    TINY,
    assert_one_line,
    assert_same_run,
    command,
    copied,
    environment,
    moravec,
    rows,
    started,
    wait_until,
)


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _change(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)


def _largest(step: Path) -> Path:
    return max((path for path in step.rglob("*") if path.is_file()), key=lambda p: p.stat().st_size)


def _steps(run: Path) -> list[Path]:
    return checkpoints.saved(run / "checkpoints")


def test_damaged_checkpoint_falls_back(trained, tmp_path):
    """The newest truncated, the one before changed: from the third, to the same end."""
    run = copied(trained, tmp_path / "run")
    third, second, newest = _steps(run)
    _truncate(_largest(newest))
    _change(_largest(second))
    done = moravec("train", "--resume", run)
    assert done.returncode == 0, done.stderr
    for step in (newest, second):
        assert f"checkpoint {step} is damaged" in done.stderr
    assert f"checkpoint {third}" not in done.stderr
    assert_same_run(run, trained)


def test_no_whole_checkpoint_left(trained, tmp_path):
    """Every one damaged, or all deleted: one line, and what there is stays."""
    run = copied(trained, tmp_path / "run")
    for step in _steps(run):
        _change(_largest(step))
    done = moravec("train", "--resume", run, "--quiet")
    assert done.returncode == 2
    *warnings, last = done.stderr.splitlines()
    assert len(warnings) == 3
    assert "every checkpoint is damaged" in last
    assert f"train --config {run / 'config.json'}" in last

    shutil.rmtree(run / "checkpoints")
    assert_one_line(moravec("train", "--resume", run), "there is no checkpoint in", "--config")
    assert rows(run) == rows(trained)
    assert (run / "policy.npz").read_bytes() == (trained / "policy.npz").read_bytes()


@pytest.mark.slow
def test_two_processes_for_one_run(trained, tmp_path):
    run = copied(trained, tmp_path / "run")
    with started("train", "--resume", run, "--max-frames", 10**9) as process:
        wait_until(lambda: len(rows(run)) > len(rows(trained)), process)
        done = moravec("train", "--resume", run)
        assert_one_line(done, "is being written by process", str(process.pid))
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0


FULL = """
set -e
mount -t tmpfs -o size=300k none "$1"
cd "$2"
shift 2
status=0
"$@" || status=$?
test $status = 2
echo FREED
mount -o remount,size=100m "$RUN"/..
"$PYTHON" -m launch.cli train --resume "$RUN" --quiet >&2
cp -r "$RUN" "$KEPT"
"""
READ_ONLY = """
set -e
mount -t tmpfs -o size=1m,ro none "$1"
cd "$2"
shift 2
exec "$@"
"""


def in_namespace(script: str, folder: Path, args: list[str], **variables: str):
    """Runs a command with a file system of its own on `folder`, where anyone may mount one."""
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(folder), str(ROOT), *args],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
    )


@pytest.fixture
def mounted(tmp_path):
    """A folder to mount on."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    if not shutil.which("unshare") or in_namespace(READ_ONLY, folder, ["true"]).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    return folder


def test_read_only(mounted):
    done = in_namespace(READ_ONLY, mounted, command("train", *TINY, "--run-dir", mounted / "run"))
    assert_one_line(done, "read-only file system", "choose a folder that you may write to")


@pytest.mark.slow
def test_disk_fills_up_while_training(trained, mounted, tmp_path):
    """One line; the earlier checkpoint is whole, and goes on when there is space."""
    run, kept = mounted / "run", tmp_path / "kept"
    done = in_namespace(
        FULL,
        mounted,
        command("train", *TINY, "--run-dir", run),
        RUN=str(run),
        KEPT=str(kept),
        PYTHON=sys.executable,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "FREED\n"
    assert "Traceback" not in done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("moravec: "))
    assert "no space left on device; free some space and try again" in line
    assert_same_run(kept, trained)
