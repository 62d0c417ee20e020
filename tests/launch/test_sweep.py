"""Sweeps of real runs: killed, interrupted, failing; nothing is trained twice."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from experiments.sweeps import Variant
from launch import cli, loggers, run_folder, sweep
from launch.sweep_jobs import finished, progress, tasks
from tests.launch.commands import (
    FRAMES,
    SECONDS,
    TINY,
    copied,
    environment,
    interruptible,
    wait_until,
)

# A sweep of two variants and two seeds: "small" takes a moment, so that it can be killed.
DRIVER = """
import sys
from experiments import sweeps
from launch import cli
tiny = {tiny!r}
sweeps.SWEEPS["tiny"] = sweeps.Sweep("", tuple(
    sweeps.Variant(label, experiment, (*tiny, *more), tuple(needs))
    for label, experiment, more, *needs in {variants!r}
))
sys.exit(cli.main(["sweep", "tiny", *sys.argv[1:]]))
"""
WIDTHS, REST = TINY[:4], TINY[4:]
SMALL = "sokoban_small"
LONG = (
    ("long", SMALL, (*WIDTHS, "--max-frames=4000")),
    ("short", SMALL, (*WIDTHS, "--agent.depth=2")),
)
# A model that learns from another run's policy, and one whose policy cannot be trained.
POLICY = (*WIDTHS, "--agent.layers=1", "--max-frames=300")
MODEL = (
    *("--agent.policy.layers=1", "--agent.policy.channels=4", "--agent.policy.hidden=16"),
    *("--agent.model.channels=2", "--agent.model.blocks=0", "--agent.minibatches=1"),
    "--max-frames=200",
)
NEEDY = (
    ("broken", "sokoban_model_policy", ("--environment.levels=no/such/file",)),
    ("policy", "sokoban_model_policy", POLICY),
    ("lost", "sokoban_model", MODEL, ("policy", "broken")),
    ("model", "sokoban_model", MODEL, ("policy", "policy")),
)


@contextmanager
def sweeping(cwd: Path, variants, *args: str):
    code = DRIVER.format(tiny=REST, variants=variants)
    with interruptible():
        process = subprocess.Popen(
            [sys.executable, "-c", code, *args],
            cwd=cwd,
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def swept(cwd: Path, variants, *args: str) -> tuple[int, str]:
    """Runs the sweep to its end: status, and what it said."""
    with sweeping(cwd, variants, *args) as process:
        _, said = process.communicate(timeout=4 * SECONDS)
        return process.returncode, said


def began(run: Path) -> float:
    """When the run was begun: its record of versions is written once."""
    return (run / "versions.json").stat().st_mtime


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_sweep_goes_on_and_trains_nothing_twice(tmp_path):
    runs = tmp_path / "runs" / "sweeps" / "tiny"
    first = runs / "long" / "seed-0"
    with sweeping(tmp_path, LONG, "--seeds=1", "--jobs=2") as process:
        wait_until((first / "metrics.csv").exists, process)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    child = int((runs / "long" / ".seed-0.lock").read_text())
    os.kill(child, 0)  # it lives on
    time_begun = began(first)

    with sweeping(tmp_path, LONG, "--seeds=1", "--jobs=2") as process:
        assert process.stderr is not None
        assert "long/seed-0: is being trained already" in process.stderr.readline()
        assert int((runs / "long" / ".seed-0.lock").read_text()) == child
        process.send_signal(signal.SIGINT)  # asks what is being trained to stop
        said = process.stderr.read()
        assert process.wait() == 130, said
        assert "stopped; the same command goes on" in said
    with run_folder.lock(run_folder.RunFolder(first)):  # nobody is writing it any more
        assert not finished(first)

    status, said = swept(tmp_path, LONG, "--seeds=1", "--jobs=2")
    assert status == 0, said
    assert "all 2 runs are finished" in said
    for run in (first, runs / "short" / "seed-0"):
        assert finished(run)
        frames = [row["frames"] for row in loggers.read_csv(run / "metrics.csv")]
        assert frames == sorted(set(frames))
        assert frames[-1] >= (4000 if run == first else FRAMES)
    assert began(first) == time_begun

    status, said = swept(tmp_path, LONG, "--seeds=1")
    assert (status, "2 of 2 are finished already" in said) == (0, True)
    assert "begins" not in said


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_that_fails_does_not_end_the_others_but_those_that_need_it(tmp_path):
    status, said = swept(tmp_path, NEEDY, "--seeds=1", "--jobs=2")
    runs = tmp_path / "runs" / "sweeps" / "tiny"
    assert status == 1
    assert finished(runs / "policy" / "seed-0"), said
    assert finished(runs / "model" / "seed-0"), said
    record = json.loads((runs / "model" / "seed-0" / "prerequisites.json").read_text())
    assert record["policy"]["from"] == str(runs / "policy" / "seed-0")
    assert record["policy"]["frames"] >= 300
    assert not (runs / "lost" / "seed-0").exists()
    last = said.splitlines()[-1]
    assert last.startswith("moravec: 2 of 4 runs failed: broken/seed-0 (exit status 2: moravec: ")
    assert "no/such/file" in last
    assert last.endswith("; lost/seed-0 (it needs broken/seed-0)")


@pytest.mark.parametrize(("variable", "called"), [("UV", "uv run moravec"), ("NO_UV", "moravec")])
def test_the_next_command_is_called_as_this_one_was(variable, called, monkeypatch, capsys):
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv(variable, "/bin/uv")
    assert sweep._end(Path("runs/sweeps/tiny"), [], {}) == 0
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"next: {called} report runs/sweeps/tiny"


def test_what_is_finished(trained, tmp_path):
    assert finished(trained)
    assert progress(trained) >= 1
    assert not finished(tmp_path)
    assert progress(tmp_path) == 0
    run = copied(trained, tmp_path / "run")
    config = run / "config.json"
    longer = config.read_text().replace(f'"max_frames": {FRAMES}', f'"max_frames": {2 * FRAMES}')
    config.write_text(longer)
    assert not finished(run)
    assert 0.4 < progress(run) < 0.6
    late = config.read_text().replace('"max_minutes": 0.0', '"max_minutes": 1e-5')
    config.write_text(late)
    assert finished(run)  # its time is up
    (run / "policy.npz").unlink()
    assert not finished(run)


def _change(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


DAMAGE = {
    "policy.npz": _change,
    "config.json": lambda path: path.write_text("{"),
    "metrics.csv": lambda path: path.write_text("a,b\n1,2\n"),
    "another policy.npz": Path.unlink,
    "cell of metrics.csv": lambda path: path.write_text(path.read_text() + "bad,cell\n"),
    "lost metrics.csv": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_cannot_be_read_is_not_finished(trained, tmp_path, damage):
    run = copied(trained, tmp_path / "run")
    DAMAGE[damage](run / damage.split()[-1])
    assert not finished(run)
    assert 0 <= progress(run) <= 1.1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_damaged_run_is_mended_and_does_not_end_the_sweep(trained, tmp_path):
    runs = tmp_path / "runs" / "sweeps" / "tiny"
    mended, beyond, other = (runs / label / "seed-0" for label in ("mended", "beyond", "other"))
    for run in (mended, beyond):
        copied(trained, run)
    _change(mended / "policy.npz")
    (beyond / "config.json").write_text("{")
    before = (mended / "metrics.csv").read_bytes()
    variants = [(run.parent.name, SMALL, WIDTHS) for run in (mended, beyond, other)]
    status, said = swept(tmp_path, variants, "--seeds=1", "--jobs=2")
    assert status == 1
    assert finished(mended), said
    assert finished(other), said
    assert (mended / "metrics.csv").read_bytes() == before
    last = said.splitlines()[-1]
    assert last.startswith("moravec: 1 of 3 runs failed: beyond/seed-0 (exit status 2: moravec: ")
    assert "config.json is not JSON" in last


def test_tasks_go_seed_by_seed_and_know_what_they_need(tmp_path):
    variants = (
        Variant("model", "some_model"),
        Variant("agent", "some_agent", ("--agent.depth=3",), (("model", "model"),)),
    )
    found = tasks(tmp_path, variants, seeds=2)
    names = ["model/seed-0", "agent/seed-0", "model/seed-1", "agent/seed-1"]
    assert [task.name for task in found] == names
    assert [task.folder for task in found] == [tmp_path / name for name in names]
    assert found[3].needs == ("model/seed-1",)
    assert found[3].arguments == (
        "some_agent",
        "--agent.depth=3",
        f"--prerequisites.model={tmp_path}/model/seed-1",
        "--seed=1",
    )
    assert found[0].arguments == ("some_model", "--seed=0")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["sokoban_smal"], "did you mean 'sokoban_small'"),
        (["sokoban_small", "--seeds", "0"], "--seeds must be at least 1, not 0"),
        (["sokoban_small", "--jobs=-1"], "--jobs must be at least 1, not -1"),
    ],
)
def test_mistakes_are_said_in_one_line(args, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["sweep", *args]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())
