"""A run folder is made once, belongs to one process at a time, and tells what is wrong."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from environments.errors import UserError
from launch import run_folder

HOLD = """
import sys, time
from pathlib import Path
from launch import run_folder
with run_folder.lock(run_folder.RunFolder(Path(sys.argv[1]))):
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def unprivileged():
    """Permissions count, also for root: acts as another user, in a folder open to all."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        else:
            os.chmod(folder, 0o555)
        yield Path(folder)
        if root:
            os.seteuid(0)
        os.chmod(folder, 0o755)


def test_create(tmp_path):
    run = run_folder.create(tmp_path / "a" / "b")
    assert run.config == tmp_path / "a" / "b" / "config.json"
    assert run_folder.create(run.path) == run  # still empty: the start of a run that failed early


def test_an_existing_run_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match=f"--resume {tmp_path} continues it; or choose another"):
        run_folder.create(tmp_path)


def test_an_existing_folder_or_file_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(UserError, match="exists and is not empty: choose another --run-dir"):
        run_folder.create(tmp_path)
    with pytest.raises(UserError, match="is a file"):
        run_folder.create(tmp_path / "thesis.txt")
    with pytest.raises(UserError, match=r"cannot write .*not a directory"):
        run_folder.create(tmp_path / "thesis.txt" / "run")
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_a_read_only_folder_is_refused(unprivileged):
    for path in (unprivileged / "run", unprivileged):
        with pytest.raises(UserError, match=f"cannot write {path}: permission denied; choose a"):
            run_folder.create(path)


def test_open_run(tmp_path):
    with pytest.raises(UserError, match="is not a run: it does not exist"):
        run_folder.open_run(tmp_path / "missing")
    with pytest.raises(UserError, match="is not a run: it has no config"):
        run_folder.open_run(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert run_folder.open_run(tmp_path).path == tmp_path
    with pytest.raises(UserError, match="is not a run: it is not a folder"):
        run_folder.open_run(tmp_path / "config.json")


CREATE = """
from launch import run_folder
print("ready", flush=True)
input()
for _ in range(20):
    print(run_folder.create_default("sokoban_small").path)
"""


def test_runs_that_begin_together_get_folders_of_their_own(tmp_path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    variables = os.environ | {"PYTHONPATH": str(Path(run_folder.__file__).parents[1])}
    processes = [
        subprocess.Popen([sys.executable, "-c", CREATE], cwd=tmp_path, env=variables, **pipes)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    paths = [path for process in processes for path in process.communicate(timeout=60)[0].split()]
    assert len(set(paths)) == len(paths) == 60
    for path in paths:
        assert path.startswith("runs/sokoban_small/20")
        assert set(path) <= set("runs/oklba_small0123456789-_")
        assert os.listdir(tmp_path / path) == [".lock"]


def test_one_process_at_a_time(tmp_path):
    run = run_folder.create(tmp_path / "run")
    command = [sys.executable, "-c", HOLD, str(run.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        said = f"is being written by process {other.pid}:"
        try:
            with pytest.raises(UserError, match=said), run_folder.lock(run):
                pass
        finally:
            other.kill()
    for _ in range(2):
        with run_folder.lock(run):
            pass


def test_what_a_killed_process_left_goes_with_the_lock(tmp_path):
    run = run_folder.create(tmp_path / "run")
    (run.path / ".policy.npz.7.tmp").touch()
    (run.checkpoints / ".12.7.tmp" / "arrays").mkdir(parents=True)
    (run.checkpoints / "11").mkdir()
    with run_folder.lock(run):
        assert sorted(os.listdir(run.path)) == [".lock", "checkpoints"]
        assert os.listdir(run.checkpoints) == ["11"]
