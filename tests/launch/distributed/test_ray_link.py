"""What does not answer, on a real cluster: calls that arrive twice, a learner that never ends."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("reverb", reason="the ray runner needs dm-reverb, which needs Python 3.11")

from launch.distributed import ray_training
from launch.distributed.base import Weights
from launch.distributed.coordinator import ActorReport, Coordinator
from launch.distributed.ray_cluster import cluster, ray
from launch.distributed.ray_handles import spawn
from launch.distributed.ray_link import RayLink
from launch.distributed.ray_training import RayTraining
from launch.outcome import RunFailed


class Twice:
    """A coordinator's handle whose calls all arrive twice: the first answer is lost."""

    def __init__(self, handle: Any):
        self._handle = handle

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._handle, name)

        class Method:
            @staticmethod
            def remote(*arguments: Any) -> Any:
                method.remote(*arguments)
                return method.remote(*arguments)

        return Method


class Deaf:
    """A learner that learns on when it is told to stop."""

    def learn(self, *_: Any) -> None:
        time.sleep(1000)

    def shown(self, timeout: float) -> list:
        time.sleep(timeout)
        return []

    def stop(self) -> None:
        pass


class DeafGroup:
    """See `LearnerGroup`."""

    def __init__(self, *_: Any):
        self.leader, self.ready = spawn(Deaf, max_concurrency=8), None

    def kill(self) -> None:
        ray.kill(self.leader)


class Said:
    """A display."""

    def __init__(self):
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(scope="module")
def coordinator():
    """Rounds of 4 items, 2 ahead."""
    with cluster("", 1):
        yield spawn(Coordinator, 4, 1, max_concurrency=8)


@pytest.mark.slow
def test_calls_that_arrive_twice_count_once(coordinator):
    link = RayLink(Twice(coordinator))
    link.publish(Weights(0, {"w": np.ones(3)}))
    incarnation = link.start(0)
    assert (incarnation, link.start(1), link.replaced()) == (0, 0, 0)
    assert link.begin(0, incarnation, 4, 0, 0)
    link.report(0, ActorReport(frames=80, unrolls=1))
    assert link.finished_unrolls(0) == 1
    link.receive([(0, incarnation)] * 4)
    link.publish(Weights(1, {"w": np.zeros(3)}), finished=4)
    assert link.take_report().frames == 80
    assert [link.begin(0, incarnation, 4, 1, 0) for _ in range(3)] == [True, True, False]
    link.receive([(0, incarnation)] * 4)
    link.drop(4)
    assert [link.begin(0, incarnation, 4, 1, 0) for _ in range(2)] == [True, False]
    weights = link.weights(-1, 1.0)
    assert weights is not None
    np.testing.assert_array_equal(weights.params["w"], np.zeros(3))


@pytest.mark.slow
def test_a_learner_that_does_not_end_is_waited_for_once(coordinator, monkeypatch):
    monkeypatch.setattr(ray_training, "LearnerGroup", DeafGroup)
    monkeypatch.setattr(ray_training, "_SAVE_SECONDS", 1.0)
    said: Any = Said()
    training = RayTraining((), [], Path(), coordinator, [], said, None)
    training.begin(resume=False)
    with pytest.raises(RunFailed, match="the learner did not end within 1 s"):
        training.end()
    training.close()
    assert said.lines == []  # else it had been waited for again
    assert training._handle is not None
    deadline = time.monotonic() + 30
    while not training._handle.ended():
        assert time.monotonic() < deadline, "the learner was not killed"
        time.sleep(0.05)
