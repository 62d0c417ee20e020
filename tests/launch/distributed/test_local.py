"""The local runner as its users run it: real processes, real kills, a real replay."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launch import checkpoints, load_policy
from tests.launch.commands import (
    FRAMES,
    TINY,
    command,
    environment,
    interruptible,
    moravec,
    started,
    wait_for_line,
    wait_until,
)
from tests.launch.test_damage import FULL, in_namespace, mounted
from tests.marks import first_slow

__all__ = ["mounted"]  # a fixture

pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")

LOCAL = ("train", *TINY, "--runner.kind", "local", "--runner.checkpoint-minutes", "0.02")
PROCESSES = (*LOCAL, "--runner.processes", "True")
# Long enough that a run does not end before what is done to it.
LONG = ("--max-frames", "1000000")
TIMES = ("seconds", "_per_second", "actor_", "learner_wait", "queue_items", "samples_per_insert")


def rows(run: Path) -> list[dict[str, str]]:
    path = run / "metrics.csv"
    if not path.exists():
        return []
    with open(path) as file:
        return list(csv.DictReader(file))


def frames(run: Path) -> list[int]:
    return [int(row["frames"]) for row in rows(run)]


def living() -> dict[int, tuple[str, int]]:
    """Every process that lives: what it is called, and its parent."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        state, parent, *_ = rest.split()
        if state != "Z":
            found[int(folder.name)] = name, int(parent)
    return found


def children(pid: int) -> dict[int, str]:
    """The living children of a process, and what they are called."""
    return {number: name for number, (name, parent) in living().items() if parent == pid}


def child(pid: int, name: str) -> int:
    """The number of the child called `name`; 0 if there is none."""
    return next((number for number, called in children(pid).items() if called == name), 0)


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    assert pid > 0  # 0 would be everybody here
    os.kill(pid, number)


def assert_gone(there: dict[int, str]) -> None:
    """None of these processes is left behind; multiprocessing's own tracker ends a little later."""
    deadline = time.monotonic() + 10
    while set(there) & set(living()):
        assert time.monotonic() < deadline, "a process was left behind"
        time.sleep(0.05)


def assert_sound(run: Path, max_lag: int | None = 1) -> None:
    """No frame counted twice, the last checkpoint and the policy load, learning was in bounds."""
    counts = frames(run)
    learning = [int(row["frames"]) for row in rows(run) if row["version"]]
    assert learning == sorted(set(learning)), counts
    for row in rows(run):
        if row["staleness/versions_max"] and max_lag is not None:
            assert int(row["staleness/versions_max"]) <= max_lag
    assert checkpoints.steps(run / "checkpoints")[-1] == counts[-1]
    assert load_policy(run).frames == counts[-1]


def test_trains_evaluates_and_leaves_nothing(tmp_path):
    run = tmp_path / "run"
    done = moravec(*LOCAL, "--run-dir", run)
    assert done.returncode == 0, done.stderr
    assert_sound(run)
    last = rows(run)[-1]
    assert FRAMES <= int(last["frames"]) < FRAMES + 100
    assert last["evaluated_frames"] == last["frames"]
    assert 0 <= float(next(v for k, v in last.items() if k.startswith("evaluation/"))) <= 1
    learnt = rows(run)[-2]
    assert int(learnt["actor_frames"]) >= int(learnt["frames"])
    assert int(learnt["dropped_items"]) == int(learnt["actors_replaced"]) == 0
    assert "solved, greedy" in done.stderr


@pytest.mark.slow
def test_resumes_after_a_kill(tmp_path):
    run = tmp_path / "run"
    with started(*LOCAL, *LONG, "--run-dir", run) as process:
        wait_until(lambda: len(checkpoints.steps(run / "checkpoints")) > 1, process)
        process.kill()
        process.wait()
    before = checkpoints.steps(run / "checkpoints")[-1]
    done = moravec("train", "--resume", run, "--max-frames", before + 500)
    assert done.returncode == 0, done.stderr
    assert_sound(run)
    assert frames(run)[-1] >= before + 500
    for row in rows(run):
        assert int(row["actor_frames"] or row["frames"]) >= int(row["frames"])
    written = (run / "metrics.csv").read_bytes()
    assert moravec("train", "--resume", run).returncode == 0  # nothing is left to do
    assert (run / "metrics.csv").read_bytes() == written


@pytest.mark.slow
def test_stops_in_order_at_a_signal(tmp_path):
    run = tmp_path / "run"
    with started(*PROCESSES, *LONG, "--run-dir", run) as process:
        wait_until(lambda: len(rows(run)) > 1, process)
        there = children(process.pid)
        assert {"actor 0", "replay"} <= set(there.values())
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert "stopped after" in said
    assert_gone(there)
    assert_sound(run)


@pytest.mark.parametrize("name", first_slow(["replay", "actor 1"]))
def test_a_killed_part_is_replaced(tmp_path, name):
    run = tmp_path / "run"
    with started(*PROCESSES, *LONG, "--runner.actors", "2", "--run-dir", run) as process:
        for _ in range(2):
            wait_until(lambda: len(rows(run)) > 1 and child(process.pid, name), process)
            victim = child(process.pid, name)
            kill(victim)
            gone = {0, victim}
            wait_until(lambda gone=gone: child(process.pid, name) not in gone, process)
            count = len(rows(run))
            wait_until(lambda count=count: len(rows(run)) > count + 5, process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert_sound(run)
    replaced = int(rows(run)[-1]["actors_replaced"])
    assert replaced == (2 if name == "actor 1" else 0)


@pytest.mark.soak
def test_nothing_outlives_a_killed_run(tmp_path):
    run = tmp_path / "run"
    with started(*PROCESSES, *LONG, "--run-dir", run) as process:
        wait_until(lambda: rows(run) and len(checkpoints.steps(run / "checkpoints")) > 1, process)
        there = children(process.pid)
        process.kill()
        process.wait()
    assert_gone(there)
    done = moravec("train", "--resume", run, "--max-frames", frames(run)[-1] + 200)
    assert done.returncode == 0, done.stderr
    assert_sound(run)


def numbers(run: Path) -> list[dict[str, str]]:
    """The rows without what depends on the machine's speed."""
    return [
        {k: v for k, v in row.items() if not any(word in k for word in TIMES)} for row in rows(run)
    ]


@pytest.mark.soak
def test_in_step_two_runs_give_the_same_numbers(tmp_path):
    runs = []
    for number, how in enumerate([LOCAL, LOCAL, PROCESSES]):
        runs.append(tmp_path / str(number))
        done = moravec(*how, "--runner.synchronous", "True", "--run-dir", runs[-1])
        assert done.returncode == 0, done.stderr
    first, second, processes = map(numbers, runs)
    assert len(first) > 10
    assert first == second == processes
    assert all(float(row["staleness/versions_0"]) == 1 for row in first if row["version"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--runner.replay-shards", "2"), ("runner.replay_shards", "runner.actors")),
        (("--runner.address", "auto"), ("runner.address", "runner.kind=ray")),
        (("--runner.worlds", "9", "--runner.kind", "local"), ("runner.worlds", "8")),
        (
            ("--runner.worlds", "3", "--runner.max-lag", "0", "--runner.kind", "local"),
            ("runner.worlds", "divide"),
        ),
        (("--runner.platform", "gpu"), ("runner.platform=gpu", "cpu")),
        (("--runner.stall-minutes", "0"), ("runner.stall_minutes",)),
        (
            ("--runner.synchronous", "True", "--runner.actors", "2", "--runner.kind", "local"),
            ("runner.synchronous needs runner.actors of 1",),
        ),
    ],
)
def test_what_cannot_be_run(mistake, tmp_path, arguments, words):
    line = mistake("train", *TINY, *arguments, "--run-dir", tmp_path / "run")
    assert all(word in line for word in words), line
    assert not (tmp_path / "run").exists()


@pytest.mark.soak
def test_no_progress_ends_the_run_and_says_who_waits_for_what(tmp_path):
    run = tmp_path / "run"
    args = *PROCESSES, *LONG, "--runner.stall-minutes", "0.4", "--run-dir", run
    with started(*args) as process:
        wait_until(lambda: len(rows(run)) > 1, process)
        there = children(process.pid)
        kill(child(process.pid, "actor 0"), signal.SIGSTOP)
        _, said = process.communicate(timeout=100)
    assert process.returncode == 1, said
    assert "no update for 0.4 minutes" in said
    assert "actor 0: " in said.split("What everyone is at:")[1]
    assert "learner: waiting for unrolls" in said.split("What everyone is at:")[1]
    assert "Traceback" not in said
    assert_gone(there)
    assert_sound(run)


@pytest.mark.slow
def test_an_actor_that_cannot_live_ends_the_run(tmp_path):
    run = tmp_path / "run"
    with started(*PROCESSES, *LONG, "--run-dir", run) as process:
        wait_until(lambda: len(rows(run)) > 1, process)
        victim = 0
        while process.poll() is None:
            found = child(process.pid, "actor 0")
            if found not in (0, victim):
                victim = found
                kill(victim)
            time.sleep(0.05)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert "actor 0 died 5 times without finishing an unroll: killed by signal 9" in said
    assert_sound(run)


@pytest.mark.soak
def test_evaluates_beside_training(tmp_path):
    run = tmp_path / "run"
    args = *LOCAL, *LONG, "--evaluation.every-frames", "300", "--run-dir", run
    with started(*args) as process:
        wait_until(lambda: any(row["evaluated_frames"] for row in rows(run)), process)
        first = child(process.pid, "evaluator")
        kill(first)  # the next evaluation starts another

        def again() -> bool:
            found = [int(row["evaluated_frames"]) for row in rows(run) if row["evaluated_frames"]]
            return len(set(found)) > 1 and child(process.pid, "evaluator") not in (0, first)

        wait_until(again, process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    evaluated = [row for row in rows(run) if row["evaluated_frames"]]
    assert all(int(row["evaluated_frames"]) < int(row["frames"]) for row in evaluated)
    assert_sound(run)


@pytest.mark.slow
def test_disk_fills_up(mounted, tmp_path):
    """One line; the earlier checkpoint is whole, and goes on when there is space."""
    run, kept = mounted / "run", tmp_path / "kept"
    train = command(*LOCAL, "--run-dir", run)
    variables = {"RUN": str(run), "KEPT": str(kept), "PYTHON": sys.executable}
    done = in_namespace(FULL, mounted, train, **variables)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("moravec: "))
    assert "no space left on device; free some space and try again" in line
    assert "Traceback" not in done.stderr
    assert_sound(kept)


@pytest.mark.parametrize("seconds", first_slow([1.0, 0.3, 2.0]))
def test_ctrl_c_for_all_while_parts_are_started(tmp_path, seconds):
    """A terminal sends it to every process, those included that are not ready for it."""
    run = tmp_path / "run"
    with interruptible():
        process = subprocess.Popen(
            command(*PROCESSES, *LONG, "--run-dir", run),
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    with process:
        wait_for_line(process, "starting the replay")
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=100)
    assert process.returncode == 0, said
    assert "stopped after" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_stop_ends_the_last_evaluation(tmp_path):
    run = tmp_path / "run"
    small = "--agent.batch", "2", "--agent.min-size", "2", "--runner.worlds", "2"
    physics = "train", "mujoban_tiny", *small, "--max-frames", "40"
    with started(*physics, "--run-dir", run) as process:
        wait_for_line(process, "evaluation/")
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert time.monotonic() - began < 20  # sixty levels take longer
    assert "stopped after" in said
    assert_sound(run, max_lag=None)  # a replay's data may be of any age
