"""The device runner's evaluations: what was learnt is safe before them, and they are never lost."""

from dataclasses import replace

import pytest

from agents.cnn.config import CNNConfig
from environments.games.sokoban.registration import SokobanOptions
from experiments.base import Evaluation, Experiment, Runner
from launch import checkpoints, configuration, published
from launch.device_runner import DeviceRunner
from launch.outcome import Outcome
from launch.progress import Display
from launch.run_folder import RunFolder
from launch.signals import Stop
from launch.sweep_jobs import finished
from tests.launch.commands import HELD_OUT, LEVELS, assert_same_run, rows
from tests.launch.endings import Ending, Killed, die

COLUMN = f"evaluation/{HELD_OUT}"
# Three rows, of which the second and the last are evaluated; no checkpoint but for these.
EXPERIMENT = Experiment(
    name="tiny",
    environment=SokobanOptions(levels=LEVELS, time_limit=(8, 10)),
    agent=CNNConfig(layers=1, channels=4, hidden=8, unroll_length=5, environments=4),
    runner=Runner(log_frames=20, checkpoint_minutes=60.0),
    evaluation=Evaluation(suites=(HELD_OUT,), episodes=4, every_frames=35),
    max_frames=55,
)


@pytest.fixture(scope="module")
def runner() -> DeviceRunner:
    """One for all, for it takes seconds to compile."""
    return DeviceRunner(EXPERIMENT)


def _begin(runner, path, display=None, stop=None) -> Outcome:
    path.mkdir()
    configuration.save(EXPERIMENT, RunFolder(path).config)
    return runner.train(RunFolder(path), display or Display(), stop or Stop())


def _resume(runner, path, stop=None) -> Outcome:
    return runner.train(RunFolder(path), Display(), stop or Stop(), resume=True)


@pytest.fixture(scope="module")
def whole(runner, tmp_path_factory):
    """A run that nothing disturbed."""
    path = tmp_path_factory.mktemp("device") / "whole"
    assert _begin(runner, path).finished
    assert [COLUMN in row for row in rows(path)] == [False, True, True]
    return path


def _assert_it_goes_on(runner, run, whole) -> None:
    """Nothing that was learnt is lost; who resumes has every evaluation, and no row twice."""
    number = len(rows(run)) + 1  # of the row that waits for its evaluation
    frames = rows(whole)[number - 1]["frames"]
    assert checkpoints.steps(run / "checkpoints")[-1] == frames
    assert published.load(run / "policy.npz").frames == frames
    assert rows(run) == rows(whole)[: number - 1]
    assert not finished(run)  # so a sweep goes on with it
    outcome = _resume(runner, run)
    assert outcome.finished
    assert outcome.evaluation == {COLUMN: rows(whole)[-1][COLUMN]}
    assert_same_run(run, whole)
    assert finished(run)


@pytest.mark.parametrize("evaluations", [0, 1])
def test_killed_in_an_evaluation(runner, whole, tmp_path, evaluations):
    with pytest.raises(Killed):
        _begin(runner, tmp_path / "run", Ending(die, evaluations))
    _assert_it_goes_on(runner, tmp_path / "run", whole)


@pytest.mark.parametrize("evaluations", [0, 1])
def test_a_stop_ends_an_evaluation(runner, whole, tmp_path, evaluations):
    stop, run = Stop(), tmp_path / "run"
    display = Ending(lambda: setattr(stop, "requested", True), evaluations)
    outcome = _begin(runner, run, display, stop)
    assert (outcome.finished, outcome.evaluation) == (False, {})
    assert len(rows(run)) == 1 + evaluations
    again = _resume(runner, run, stop)  # at once, before anything is done
    assert (again.finished, again.frames) == (False, outcome.frames)
    _assert_it_goes_on(runner, run, whole)


def test_who_was_stopped_when_time_was_up_has_nothing_left_but_to_evaluate(
    runner, whole, tmp_path, monkeypatch
):
    monkeypatch.setattr(runner, "_experiment", replace(EXPERIMENT, max_minutes=1e-9))
    stop, run = Stop(), tmp_path / "run"
    display = Ending(lambda: setattr(stop, "requested", True), 0)
    assert not _begin(runner, run, display, stop).finished
    outcome = _resume(runner, run)
    assert (outcome.finished, list(outcome.evaluation)) == (True, [COLUMN])
    (row,) = rows(run)
    assert row == rows(whole)[0] | outcome.evaluation
