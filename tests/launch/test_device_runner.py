"""The device runner: evaluations are never lost, and it obeys within rows of metrics too."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from agents.cnn.config import CNNConfig
from environments.games.sokoban.registration import SokobanOptions
from experiments.base import Evaluation, Experiment, Runner
from launch import checkpoints, cli, clock, configuration, published, results
from launch.device_runner import DeviceRunner
from launch.loggers import read_csv
from launch.outcome import Outcome, RunFailed
from launch.progress import Display
from launch.results import Result
from launch.run_folder import RunFolder
from launch.signals import Stop
from launch.sweep_jobs import finished
from tests.launch.commands import HELD_OUT, LEVELS, assert_same_run, rows
from tests.launch.endings import Ending, Killed, die
from tests.launch.reports import report

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


def _results(run) -> list[Result]:
    """What is kept of the run's evaluations, in the order of its training."""
    kept = map(results.read, (run / "evaluation").glob("*.json"))
    return sorted((replace(result, run="") for result in kept), key=lambda result: result.frames)


def test_the_results_are_those_of_the_rows_and_of_evaluate(whole, tmp_path, capsys):
    evaluated = [row for row in rows(whole) if COLUMN in row]
    kept = _results(whole)
    assert [(x.frames, x.rate) for x in kept] == [(x["frames"], x[COLUMN]) for x in evaluated]
    assert all(sum(result.outcomes.values()) == result.episodes == 4 for result in kept)
    run = shutil.copytree(whole, tmp_path / "run")
    assert cli.main(["evaluate", str(run), "--episodes", "4", "--json"]) == 0
    (printed,) = json.loads(capsys.readouterr().out)
    assert printed["frames"] == kept[-1].frames
    # It takes the place of that of training, which it equals but for what takes a solver.
    assert [replace(result, metrics={}) for result in _results(run)] == [
        replace(result, metrics={}) for result in kept
    ]


def test_a_report_tells_how_many_episodes_were_played(whole, tmp_path):
    (found,) = report(whole, "--out", tmp_path / "out")["evaluations"]
    last = _results(whole)[-1]
    assert (found["episodes"], found["rate"]) == (4, last.rate)
    assert found["ci95"] == pytest.approx(last.ci95)
    assert found["mean_return"] == pytest.approx(last.mean_return)
    assert list(found["outcomes"]) == ["solved", "unsolved"]


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
    assert _results(run) == _results(whole)
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


# One row that outlasts the budget: what happens within rows.
LONG = replace(
    EXPERIMENT,
    runner=Runner(log_frames=100_000, checkpoint_minutes=0.0),
    evaluation=Evaluation(),
    max_frames=200,
)


class _Watching(Display):
    """Does something once training has come to so many frames."""

    def __init__(self, do, frames: int):
        self._do, self._frames = do, frames

    def write(self, row):
        """See `Display`."""
        if row["frames"] >= self._frames:
            self._do()


@pytest.fixture(scope="module")
def long_runner() -> DeviceRunner:
    """For all that is within a row."""
    return DeviceRunner(LONG)


@pytest.fixture(scope="module")
def long(long_runner, tmp_path_factory):
    """A run of one row."""
    path = tmp_path_factory.mktemp("device") / "long"
    assert _begin(long_runner, path).finished
    return path


def test_a_long_row_ends_with_the_budget(long):
    (row,) = rows(long)
    assert 200 <= row["frames"] < 200 + 5 * 4
    # The steps across resets are no frames; every episode but one at the very end had one.
    resets = 20 * row["updates"] - row["frames"]
    assert row["episodes"] - 4 <= resets <= row["episodes"]


def test_killed_within_a_row(long_runner, long, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(Killed):
        _begin(long_runner, run, _Watching(die, 100))
    assert rows(run) == []
    assert 0 < checkpoints.steps(run / "checkpoints")[-1] < 200
    assert _resume(long_runner, run).finished
    assert_same_run(run, long)


def test_stopped_within_a_row(long_runner, long, tmp_path):
    stop, run = Stop(), tmp_path / "run"
    display = _Watching(lambda: setattr(stop, "requested", True), 100)
    outcome = _begin(long_runner, run, display, stop)
    assert not outcome.finished
    assert 100 <= outcome.frames == checkpoints.steps(run / "checkpoints")[-1] < 200
    assert rows(run) == []
    assert _resume(long_runner, run).finished
    assert_same_run(run, long)


def test_an_evaluation_is_not_missed_because_of_a_stop_within_its_row(tmp_path):
    """Its count of frames was passed before the stop, and the row ends after it."""
    experiment = replace(
        EXPERIMENT,
        runner=Runner(log_frames=60, checkpoint_minutes=60.0),
        evaluation=replace(EXPERIMENT.evaluation, every_frames=15),
        max_frames=100,
    )
    runner, stop, run = DeviceRunner(experiment), Stop(), tmp_path / "run"
    display = _Watching(lambda: setattr(stop, "requested", True), 15)
    assert 15 < _begin(runner, run, display, stop).frames < 30
    assert _resume(runner, run).finished
    assert [COLUMN in row for row in rows(run)] == [True, True]


def test_who_is_resumed_when_time_is_up_learns_nothing(long_runner, tmp_path, monkeypatch):
    monkeypatch.setattr(long_runner, "_experiment", replace(LONG, max_minutes=1e-9))
    run = tmp_path / "run"
    outcome = _begin(long_runner, run)
    assert outcome.finished
    assert outcome.frames < 200
    before = rows(run)
    again = _resume(long_runner, run)
    assert (again.finished, again.frames) == (True, outcome.frames)
    assert rows(run) == before


@pytest.mark.parametrize("killed", [False, True])
def test_evaluations_take_no_training_time(runner, tmp_path, monkeypatch, killed):
    """Each takes an hour, also one that is made up for; what is learnt, no time at all."""
    now = [0.0]
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: now[0]))
    hour = Ending(lambda: now.__setitem__(0, now[0] + 3600.0), 0)
    if killed:
        with pytest.raises(Killed):
            _begin(runner, tmp_path / "run", Ending(die))
        outcome = runner.train(RunFolder(tmp_path / "run"), hour, Stop(), resume=True)
    else:
        outcome = _begin(runner, tmp_path / "run", hour)
    assert now[0] >= 3600.0
    assert outcome.seconds == 0.0
    assert [row["seconds"] for row in read_csv(tmp_path / "run" / "metrics.csv")] == [0.0] * 3


def test_a_run_that_diverges_ends_and_keeps_its_last_good_checkpoint(tmp_path):
    agent = replace(LONG.agent, learning_rate=1e30)
    runner, run = DeviceRunner(replace(LONG, agent=agent)), tmp_path / "run"
    with pytest.raises(RunFailed, match=r"^\w+ is nan after \d+ frames: .*lower learning rate"):
        _begin(runner, run)
    (kept, *_) = reversed(checkpoints.steps(run / "checkpoints"))
    assert 0 < kept < 200
    policy = published.load(run / "policy.npz")
    assert policy.frames == kept
    assert all(np.isfinite(array).all() for array in policy.params.values())
    assert rows(run) == []
    with pytest.raises(RunFailed, match=f"the checkpoint of frame {kept} is kept"):
        _resume(runner, run)
