"""What training says of itself, without a learner."""

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from experiments import registry
from launch.distributed import training
from launch.distributed.coordinator import ActorReport
from launch.distributed.window import Window

PAUSE = 0.05  # seconds of every checkpoint


class _Training(training.Training):
    """Learns ten frames in no time; each update is followed by a slow checkpoint."""

    def __init__(self):
        small = registry.load("sokoban_small")
        runner = replace(small.runner, log_frames=30, checkpoint_minutes=0.0)
        self._experiment = replace(small, runner=runner, max_frames=30)
        self._plan: Any = SimpleNamespace(max_lag=1)
        self._learner: Any = SimpleNamespace(end=lambda: None)
        self._link: Any = SimpleNamespace(stop=lambda: None)
        self._progress = training._Progress()
        self._state: Any = ()
        self._evaluator: Any = SimpleNamespace(columns=())
        self._unevaluated = False
        self.paused = 0.0

    def _learn(self, batches, window, clock):
        self._progress.frames += 10

    def _save(self, store):
        time.sleep(PAUSE)

    def _write(self, window, store, frames):
        self.paused = window.paused

    def _evaluate(self, before, frames):
        pass


def test_the_speed_of_learning_leaves_checkpoints_out():
    nothing: Any = None
    learner = _Training()
    learner.loop(nothing, nothing, lambda: False)
    assert learner.paused >= 2 * PAUSE  # the row is written before the third


def test_the_part_of_the_time_that_was_waited_for_data():
    now = time.monotonic()
    window = Window(1, began=now - 10.0, waited=2.0, paused=5.0)
    row = window.row(100, ActorReport())
    assert abs(row["learner_wait"] - 0.4) < 0.01
    assert abs(row["frames_per_second"] - 20.0) < 1.0
