"""Training with a real learner and coordinator, on batches that are at hand."""

import time
from dataclasses import replace

import jax
import numpy as np
import pytest

from experiments.base import Runner
from launch import checkpoints, configuration, load_policy, loggers
from launch.distributed.base import Stamp
from launch.distributed.batches import Batch
from launch.distributed.coordinator import ActorReport, Coordinator
from launch.distributed.learner import batch_shapes
from launch.distributed.plan import make_plan
from launch.distributed.training import Training
from launch.distributed.window import Window
from launch.evaluator import Evaluator
from launch.outcome import RunFailed
from launch.progress import Display
from launch.run_folder import RunFolder
from tests.launch.distributed.test_last_evaluation import EXPERIMENT

PAUSE = 0.1  # seconds that a save of the replay takes
FRAMES = 20  # of an update: 4 environments, 5 steps


class Store:
    """A replay that is slow to save."""

    def items(self) -> int:
        return 0

    def counts(self) -> tuple[int, int]:
        return 0, 0

    def save(self) -> None:
        time.sleep(PAUSE)


class Ready:
    """Batches of nothing; calls `before` with the number of each before it is given."""

    def __init__(self, plan, put, before=lambda number: None):
        shapes = batch_shapes(plan.item, plan.round_items)
        self._unroll = put(jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes))
        self._before, self._given = before, 0

    def next(self, timeout: float) -> Batch:
        self._before(self._given)
        version = np.full(4, self._given)
        self._given += 1
        stamp = Stamp(version, *[np.zeros(4, int)] * 4, seconds=np.full(4, time.time()))
        return Batch(self._unroll, stamp, dropped=0)


def learn(folder, link, before=lambda number: None, **options) -> None:
    """Learns 6 updates, a row after every third; closes everything."""
    runner = Runner(kind="local", worlds=4, log_frames=3 * FRAMES, **options)
    evaluation = replace(EXPERIMENT.evaluation, suites=())
    experiment = replace(EXPERIMENT, runner=runner, evaluation=evaluation, max_frames=6 * FRAMES)
    plan, run = make_plan(experiment), RunFolder(folder)
    folder.mkdir()
    configuration.save(experiment, run.config)
    evaluator = Evaluator(experiment, plan.agent, plan.spec)
    training = Training(plan, run, link, Display(), evaluator)
    training.begin(resume=False)
    try:
        training.loop(Ready(plan, training.put, before), Store(), lambda: False)  # pyright: ignore
    finally:
        training.close()


def rows(run) -> list[dict[str, float]]:
    return loggers.read_csv(run / "metrics.csv")


def test_the_speed_of_learning_leaves_checkpoints_out(tmp_path):
    learn(tmp_path / "run", Coordinator(4, 1), checkpoint_minutes=0.0)
    first, second = rows(tmp_path / "run")
    elapsed = second["seconds"] - first["seconds"]
    learning = 3 * FRAMES / second["frames_per_second"]
    # The third update's checkpoint, and those of the fourth and the fifth, lie between the rows.
    assert elapsed - learning > 2 * PAUSE


def test_what_was_learnt_is_kept_if_the_coordinator_is_lost(tmp_path):
    class Lost(Coordinator):
        """Answers nothing any more, from some moment on."""

        lost = False

        def __getattribute__(self, name):
            if not name.startswith("_") and name not in ("lost", "doing") and self.lost:
                raise RunFailed("the coordinator does not answer")
            return super().__getattribute__(name)

    link = Lost(4, 1)
    with pytest.raises(RunFailed, match="does not answer"):
        learn(tmp_path / "run", link, lambda number: setattr(link, "lost", number == 4))
    assert [row["frames"] for row in rows(tmp_path / "run")] == [3 * FRAMES, 5 * FRAMES]
    assert checkpoints.steps(tmp_path / "run" / "checkpoints") == [5 * FRAMES]
    assert load_policy(tmp_path / "run").frames == 5 * FRAMES


def test_a_learner_whose_place_was_taken_writes_nothing_more(tmp_path):
    link = Coordinator(4, 1)

    def take_its_place(number: int) -> None:
        if number == 4:
            link.learner_lost()

    with pytest.raises(RunFailed, match="another learner has taken the place"):
        learn(tmp_path / "run", link, take_its_place)
    assert [row["frames"] for row in rows(tmp_path / "run")] == [3 * FRAMES]
    assert checkpoints.steps(tmp_path / "run" / "checkpoints") == []


def test_the_part_of_the_time_that_was_waited_for_data():
    now = time.monotonic()
    window = Window(1, began=now - 10.0, waited=2.0, paused=5.0)
    row = window.row(100, ActorReport())
    assert abs(row["learner_wait"] - 0.4) < 0.01
    assert abs(row["frames_per_second"] - 20.0) < 1.0
