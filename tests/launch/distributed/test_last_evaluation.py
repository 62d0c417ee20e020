"""The last evaluation of a run with a replay is made up for, if the run ends before it does."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from agents.cnn.config import CNNConfig
from environments.games.sokoban.registration import SokobanOptions
from experiments.base import Evaluation, Experiment, Runner
from launch import checkpoints, clock, configuration, published, results
from launch.progress import Display
from launch.run_folder import RunFolder
from launch.signals import Stop
from launch.sweep_jobs import finished
from tests.launch.commands import HELD_OUT, LEVELS, rows
from tests.launch.endings import Ending, Killed, die

pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")

COLUMN = f"evaluation/{HELD_OUT}"
EXPERIMENT = Experiment(
    name="tiny",
    environment=SokobanOptions(levels=LEVELS, time_limit=(8, 10)),
    agent=CNNConfig(layers=1, channels=4, hidden=8, unroll_length=5, environments=4),
    runner=Runner(kind="local", worlds=4, log_frames=20, checkpoint_minutes=60.0),
    evaluation=Evaluation(suites=(HELD_OUT,), episodes=4),
    max_frames=55,
)


def _train(folder, experiment=EXPERIMENT, display=None, stop=None, *, resume=False):
    from launch.distributed.local_runner import LocalRunner

    run = RunFolder(folder)
    if not resume:
        folder.mkdir()
        configuration.save(experiment, run.config)
    return LocalRunner(experiment).train(run, display or Display(), stop or Stop(), resume=resume)


def _assert_it_waits(folder) -> None:
    """All that was learnt is kept, and the evaluation is known to be missing."""
    frames = rows(folder)[-1]["frames"]
    assert checkpoints.steps(folder / "checkpoints")[-1] == frames
    assert published.load(folder / "policy.npz").frames == frames
    assert not any(COLUMN in row for row in rows(folder))
    assert not finished(folder)


def _assert_it_is_made_up_for(folder, experiment=EXPERIMENT) -> None:
    learnt = rows(folder)
    outcome = _train(folder, experiment, resume=True)
    assert (outcome.finished, outcome.frames) == (True, learnt[-1]["frames"])
    *before, row = rows(folder)
    assert before == learnt
    assert row["evaluated_frames"] == row["frames"] == outcome.frames
    assert outcome.evaluation == {COLUMN: row[COLUMN]}
    (result,) = (results.read(path) for path in (folder / "evaluation").iterdir())
    assert (result.frames, result.rate) == (outcome.frames, row[COLUMN])
    assert (result.run, result.suite, result.episodes) == (str(folder), HELD_OUT, 4)
    assert finished(folder)
    again = _train(folder, experiment, resume=True)
    assert (again.finished, again.evaluation) == (True, {})
    assert rows(folder) == [*before, row]


def test_killed(tmp_path):
    run = tmp_path / "run"
    with pytest.raises(Killed):
        _train(run, display=Ending(die))
    _assert_it_waits(run)
    _assert_it_is_made_up_for(run)


def test_stopped_when_time_was_up(tmp_path):
    run, stop = tmp_path / "run", Stop()
    experiment = replace(EXPERIMENT, max_minutes=1e-9, max_frames=1000)
    display = Ending(lambda: setattr(stop, "requested", True))
    outcome = _train(run, experiment, display, stop)
    assert (outcome.finished, outcome.evaluation) == (False, {})
    _assert_it_waits(run)
    again = _train(run, experiment, stop=stop, resume=True)  # at once, before anything is done
    assert (again.finished, again.frames) == (False, outcome.frames)
    _assert_it_waits(run)
    _assert_it_is_made_up_for(run, experiment)


def test_who_gives_it_more_time_goes_on_learning(tmp_path):
    run = tmp_path / "run"
    with pytest.raises(Killed):
        _train(run, replace(EXPERIMENT, max_minutes=1e-9), Ending(die))
    before = rows(run)
    outcome = _train(run, resume=True)
    assert outcome.frames >= EXPERIMENT.max_frames > before[-1]["frames"]
    assert rows(run)[-1]["evaluated_frames"] == outcome.frames
    assert finished(run)


def test_neither_it_nor_compiling_takes_training_time(tmp_path, monkeypatch):
    """The first update and the evaluation take an hour, every other update a second."""
    from launch.distributed.learner import Learner

    now, update, updates = [0.0], Learner.update, []
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def slow(self, state, unroll):
        now[0] += 1.0 if updates else 3600.0
        updates.append(1)
        return update(self, state, unroll)

    monkeypatch.setattr(Learner, "update", slow)
    display = Ending(lambda: now.__setitem__(0, now[0] + 3600.0))
    outcome = _train(tmp_path / "run", display=display)
    assert now[0] > 7200.0
    assert outcome.seconds == len(updates) - 1 > 0
    last = rows(tmp_path / "run")[-1]
    assert (last["frames"], last["updates"]) == (outcome.frames, len(updates))
