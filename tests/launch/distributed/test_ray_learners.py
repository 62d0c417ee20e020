"""Several learners under Ray, as their users run them: a real cluster, real kills."""

import os
import signal
from dataclasses import replace

import pytest

from environments.errors import UserError
from experiments import registry
from launch import configuration
from launch.distributed.ray_group import places
from launch.distributed.ray_learner import LearnerPart
from tests.launch.commands import moravec, wait_until
from tests.launch.distributed.test_local import assert_sound, numbers
from tests.launch.distributed.test_ray import (
    LEARNER,
    RAY,
    nodes,
    parts,
    raylet,
    running,
    wait_for_rows,
)

__all__ = ["nodes"]  # a fixture

FOLLOWER = "ray::FollowerPart"
TWO = "--runner.learners", "2"


@pytest.mark.soak
def test_two_learners_give_the_numbers_of_one(tmp_path):
    in_step = "--runner.synchronous", "True", "--max-frames", "800"
    two = moravec(*RAY, *in_step, *TWO, "--run-dir", tmp_path / "two")
    assert two.returncode == 0, two.stderr
    assert two.stdout == ""
    assert "solved, greedy" in two.stderr
    assert_sound(tmp_path / "two")
    one = moravec(*RAY, *in_step, "--runner.kind", "local", "--run-dir", tmp_path / "one")
    assert one.returncode == 0, one.stderr
    rows, expected = numbers(tmp_path / "two"), numbers(tmp_path / "one")
    assert len(rows) == len(expected) > 5
    for row, other in zip(rows, expected, strict=True):
        assert row.keys() == other.keys()
        for name, value in row.items():
            if value == "":
                assert other[name] == "", name
            else:
                assert float(value) == pytest.approx(float(other[name]), rel=1e-4, abs=1e-5), name


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_learners_are_replaced_together(tmp_path):
    run = tmp_path / "run"
    with running(run, *TWO) as process:
        for title in FOLLOWER, LEARNER:
            before = parts(process.pid, FOLLOWER) | parts(process.pid, LEARNER)
            assert len(before) == 2
            (victim,) = parts(process.pid, title)
            os.kill(victim, signal.SIGKILL)

            def replaced(before=before):
                now = parts(process.pid, FOLLOWER) | parts(process.pid, LEARNER)
                return len(now) == 2 and not now & before

            wait_until(replaced, process)
            wait_for_rows(run, process)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called")  # Ray's programs follow at once
def test_each_learner_has_a_node_and_a_lost_one_is_survived(tmp_path, nodes):
    run = tmp_path / "run"

    def there():
        return [
            {title for title in (LEARNER, FOLLOWER) if parts(raylet(node), title)}
            for node in nodes.worker_nodes
        ]

    with running(run, *TWO, "--runner.address", nodes.address) as process:
        assert sorted(map(len, there())) == [1, 1]
        lost = next(node for node in nodes.worker_nodes if parts(raylet(node), FOLLOWER))
        nodes.remove_node(lost, allow_graceful=False)
        nodes.add_node(num_cpus=2, num_gpus=1)
        wait_until(lambda: sorted(map(len, there())) == [1, 1], process)
        wait_for_rows(run, process)


def node(name: str, alive: bool = True, **resources: int) -> dict:
    return {"NodeID": name * 56, "Alive": alive, "Resources": {"CPU": 4, **resources}}


def test_learners_take_equal_devices_of_different_nodes():
    gpus = [node("a"), node("b", GPU=1), node("c", GPU=8), node("d", GPU=4)]
    assert places("default", 1, gpus) == [{"num_gpus": 8}]
    assert places("gpu", 2, gpus) == [{"num_gpus": 4}] * 2
    assert places("default", 3, gpus) == [{"num_gpus": 1}] * 3
    assert places("tpu", 2, [node("a", TPU=4), node("b", TPU=4)]) == [{"resources": {"TPU": 4}}] * 2
    with pytest.raises(UserError, match=r"runner\.learners=4, but the cluster's .* GPU are 3"):
        places("default", 4, gpus)
    with pytest.raises(UserError, match=r"runner\.platform=tpu, but no node"):
        places("tpu", 2, gpus)
    with pytest.raises(UserError, match=r"runner\.platform=gpu, but no node"):
        places("gpu", 1, [node("a"), node("b", alive=False, GPU=1)])


def test_demonstrations_that_the_devices_cannot_share_are_refused_by_the_learner():
    experiment = registry.load("mujoxo_press_demonstrated")  # 11 beside the agent's own 32
    runner = replace(experiment.runner, kind="ray")
    document = configuration.to_json(replace(experiment, runner=runner))
    failure = LearnerPart(os.getcwd(), document).get_ready(None)
    assert failure is not None
    assert failure.message == (
        "an update from 32 sequences and 11 of demonstrations cannot be split over 4 devices: set "
        "demonstrations.fraction so that it can"
    )


def test_learners_on_cpus_are_spread_over_the_nodes():
    assert places("cpu", 1, [node("a", GPU=1)]) == [{}]
    found = places("cpu", 3, [node("a"), node("b", alive=False), node("c", GPU=1)])
    assert [place["scheduling_strategy"].node_id[0] for place in found] == ["a", "c", "a"]
