"""The ray runner as its users run it: a real cluster, real kills."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

import pytest

from launch import checkpoints
from launch.distributed.ray_watchdog import children
from tests.launch.commands import (
    SECONDS,
    TINY,
    assert_one_line,
    environment,
    moravec,
    started,
    wait_until,
)
from tests.launch.distributed.test_local import LONG, assert_sound, frames, numbers, rows

pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")

RAY = ("train", *TINY, "--runner.kind", "ray", "--runner.checkpoint-minutes", "0.02")
ACTOR, REPLAY, LEARNER = "ray::ActorPart", "ray::ReplayPart", "ray::LearnerPart"
COORDINATOR = "ray::Coordinator"


def descendants(pid: int) -> dict[int, str]:
    """All living descendants of a process, and their titles."""
    found = {}
    for number in children(pid):
        try:
            line = Path(f"/proc/{number}/cmdline").read_bytes()
        except OSError:
            continue
        found[number] = line.partition(b"\0")[0].decode()
        found |= descendants(number)
    return found


def parts(pid: int, title: str) -> set[int]:
    """The processes of a kind of part below `pid`."""
    return {number for number, called in descendants(pid).items() if called.startswith(title)}


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def assert_all_gone(pids: Iterable[int], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while left := [pid for pid in pids if alive(pid)]:
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(0.05)


@contextmanager
def running(run: Path, *arguments: str):
    """A long run, from its second row on; ends with Ctrl-C, and must end well."""
    with started(*RAY, *LONG, *arguments, "--run-dir", run) as process:
        wait_until(lambda: len(rows(run)) > 1, process)
        there = descendants(process.pid)
        yield process
        there |= descendants(process.pid)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=100)
        assert process.returncode == 0, said
    assert "stopped after" in said
    assert_all_gone(there)
    assert_sound(run)


def wait_for_rows(run: Path, process, more: int = 3) -> None:
    """Returns when there are rows beyond the greatest number of frames so far."""
    before = max(frames(run))
    wait_until(lambda: sum(count > before for count in frames(run)) >= more, process)


@pytest.mark.timeout(600)  # seconds that a busy machine may take
def test_trains_and_leaves_nothing(tmp_path):
    """The smallest run there is: one actor, one replay server, a few updates, no evaluation."""
    run = tmp_path / "run"
    few = "--evaluation.suites", "--max-frames", "300"
    with started(*RAY, *few, "--run-dir", run) as process:
        wait_until(lambda: parts(process.pid, LEARNER), process)
        there = descendants(process.pid)
        _, said = process.communicate(timeout=3 * SECONDS)
    assert process.returncode == 0, said
    assert "finished after" in said
    assert_all_gone(there)
    assert_sound(run)
    assert 300 <= frames(run)[-1] < 400


@pytest.mark.slow
def test_gives_the_numbers_of_the_local_runner(tmp_path):
    in_step = "--runner.synchronous", "True", "--max-frames", "800"
    done = moravec(*RAY, *in_step, "--run-dir", tmp_path / "ray")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "solved, greedy" in done.stderr
    assert_sound(tmp_path / "ray")
    local = moravec(*RAY, *in_step, "--runner.kind", "local", "--run-dir", tmp_path / "local")
    assert local.returncode == 0, local.stderr
    assert len(numbers(tmp_path / "ray")) > 5
    assert numbers(tmp_path / "ray") == numbers(tmp_path / "local")


@pytest.mark.soak
def test_killed_parts_are_replaced(tmp_path):
    run = tmp_path / "run"
    more = "--runner.actors", "2", "--runner.replay-shards", "2", "--evaluation.every-frames", "300"
    with running(run, *more) as process:
        for title, count in ((ACTOR, 2), (REPLAY, 2), (LEARNER, 1)):
            before = parts(process.pid, title)
            assert len(before) == count
            victim = min(before)
            os.kill(victim, signal.SIGKILL)

            def replaced(title=title, before=before, victim=victim):
                now = parts(process.pid, title)
                return victim not in now and len(now) == len(before)

            wait_until(replaced, process)
            wait_for_rows(run, process)
        wait_until(lambda: any(row["evaluated_frames"] for row in rows(run)), process)
    assert int(rows(run)[-1]["actors_replaced"]) == 1


@pytest.mark.soak
def test_a_learner_without_a_checkpoint_begins_anew(tmp_path):
    run = tmp_path / "run"
    with running(run, "--runner.checkpoint-minutes", "100") as process:
        (victim,) = parts(process.pid, LEARNER)
        os.kill(victim, signal.SIGKILL)
        before = frames(run)
        wait_until(lambda: 0 < len(frames(run)) < len(before), process)
        wait_for_rows(run, process)


@pytest.mark.slow
def test_what_was_learnt_outlives_the_coordinator(tmp_path):
    run = tmp_path / "run"
    never = "--runner.checkpoint-minutes", "100"
    with started(*RAY, *LONG, *never, "--run-dir", run) as process:
        wait_until(lambda: len(rows(run)) > 5, process)
        assert not checkpoints.steps(run / "checkpoints")
        there, before = descendants(process.pid), frames(run)[-1]
        (victim,) = parts(process.pid, COORDINATOR)
        os.kill(victim, signal.SIGKILL)
        _, said = process.communicate(timeout=100)
    assert process.returncode == 1, said
    assert "the coordinator does not answer" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert_all_gone(there)
    assert_sound(run)
    assert frames(run)[-1] >= before
    done = moravec("train", "--resume", run, "--max-frames", frames(run)[-1] + 200)
    assert done.returncode == 0, done.stderr
    assert_sound(run)


@pytest.mark.slow
def test_nothing_outlives_a_killed_driver(tmp_path):
    run = tmp_path / "run"
    with started(*RAY, *LONG, "--run-dir", run) as process:
        wait_until(lambda: len(checkpoints.steps(run / "checkpoints")) > 1, process)
        there = descendants(process.pid)
        assert any(title.startswith(LEARNER) for title in there.values())
        process.kill()
        process.wait()
    assert_all_gone(there)
    before = checkpoints.steps(run / "checkpoints")[-1]
    done = moravec("train", "--resume", run, "--max-frames", before + 300)
    assert done.returncode == 0, done.stderr
    assert_sound(run)
    assert frames(run)[-1] >= before + 300


@pytest.fixture
def nodes(monkeypatch):
    """A cluster of a head and two workers on this machine, each with what Ray takes for a GPU."""
    short = tempfile.TemporaryDirectory(dir="/tmp")  # paths of sockets must be
    monkeypatch.setenv("RAY_TMPDIR", short.name)
    monkeypatch.delenv("XLA_FLAGS")
    from ray.cluster_utils import Cluster

    import launch.distributed.ray_cluster  # noqa: F401  Ray's settings

    head = {"num_cpus": 2, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        cluster.add_node(num_cpus=2, num_gpus=1)
    yield cluster
    cluster.shutdown()
    short.cleanup()


def raylet(node) -> int:
    """The process below which those of a node's parts are."""
    return node.all_processes["raylet"][0].process.pid


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called")  # Ray's programs follow at once
def test_a_lost_node_is_survived_and_a_killed_driver_leaves_no_parts(tmp_path, nodes):
    run = tmp_path / "run"
    join = "--runner.address", nodes.address, "--runner.actors", "4"
    with running(run, *join, "--runner.replay-shards", "2") as process:
        lost = next(node for node in nodes.worker_nodes if parts(raylet(node), LEARNER))
        nodes.remove_node(lost, allow_graceful=False)
        (left,) = nodes.worker_nodes
        wait_until(lambda: parts(raylet(left), LEARNER), process)
        wait_for_rows(run, process)
    assert_all_gone(every_part())
    with started("train", "--resume", run) as process:
        wait_for_rows(run, process)
        process.kill()
        process.wait()
        assert_all_gone(every_part())


@pytest.mark.soak
@pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called")
def test_a_cluster_that_is_too_small(tmp_path, nodes):
    join = "--runner.address", nodes.address, "--runner.actors", "7"
    done = moravec(*RAY, *join, "--run-dir", tmp_path / "run")
    assert_one_line(done, "has 6 CPUs", "runner.actors")
    assert not (tmp_path / "run").exists()


def every_part() -> set[int]:
    """The processes of parts below this one."""
    return parts(os.getpid(), ACTOR) | parts(os.getpid(), REPLAY) | parts(os.getpid(), LEARNER)


def test_where_there_is_no_cluster(tmp_path):
    with socket.socket() as probe:
        probe.bind(("", 0))
        free = probe.getsockname()[1]
    for address in (f"localhost:{free}", "auto", "ray://here:1"):
        began = time.monotonic()
        done = moravec(
            *(*RAY, "--runner.address", address, "--run-dir", tmp_path / "run"),
            RAY_TMPDIR=str(tmp_path),
            RAY_ADDRESS=None,
        )
        assert not (tmp_path / "run").exists()
        assert_one_line(done, "runner.address")
        assert time.monotonic() - began < 60


@pytest.mark.slow
def test_who_has_called_ray_init_is_told_what_to_do(tmp_path):
    program = """
import sys
import launch.distributed.ray_cluster  # Ray's settings
import ray
from launch import cli
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
sys.exit(cli.main(sys.argv[1:]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *RAY, "--run-dir", tmp_path / "run"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert_one_line(done, "ray.shutdown()", "runner.address")
    assert not (tmp_path / "run").exists()
