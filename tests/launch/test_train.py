"""`moravec train` from the first line to the last, and what a user does with a run."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from environments.errors import UserError
from experiments import registry
from launch import checkpoints, prerequisites, published, run_folder, train
from launch.outcome import Outcome
from tests.launch.commands import (
    FRAMES,
    HELD_OUT,
    TINY,
    arrays,
    assert_one_line,
    assert_same_run,
    complete,
    copied,
    moravec,
    rows,
)


@pytest.mark.parametrize(
    ("name", "finished", "following"),
    [
        ("sokoban_small", True, "evaluate runs/mine --thinking-steps 0 2 4"),
        ("mujoxo_press", True, "report runs/mine"),  # nobody that thinks
        ("mujoxo_press", False, "train --resume runs/mine"),
    ],
)
def test_the_next_command_suits_the_agent(name, finished, following, monkeypatch):
    monkeypatch.delenv("UV", raising=False)
    outcome = Outcome(frames=7, seconds=60.0, finished=finished, evaluation={})
    said = train._farewell(Path("runs/mine"), outcome, registry.load(name), before=0)
    assert said.splitlines()[-1] == f"next: moravec {following}"


def test_a_family_of_suites_is_all_of_them():
    given = ["sokoban_small", "--evaluation.suites", "small_boxes", "hard"]
    arguments = train.parse(given)
    assert isinstance(arguments, train.Arguments)
    expected = (*(f"small_boxes_{n}" for n in range(1, 7)), "hard")
    assert arguments.experiment.evaluation.suites == expected
    with pytest.raises(UserError, match="names one twice"):
        train.parse([*given, "small_boxes_2"])


def test_run_is_complete(trained, trained_said):
    folder = complete(trained)
    frames = int(rows(trained)[-1]["frames"])
    assert FRAMES <= frames < FRAMES + 100
    assert len(rows(trained)) == pytest.approx(FRAMES / 90, abs=2)
    assert len(checkpoints.steps(folder.checkpoints)) == 3
    assert published.load(folder.policy).frames == frames
    config = json.loads(folder.config.read_text())
    assert config["experiment"] == "sokoban_small"
    assert config["agent"]["channels"] == 4
    assert {"packages", "environments", "devices"} <= json.loads(folder.versions.read_text()).keys()
    lines = trained_said.splitlines()
    assert lines[:3] == ["starting", "loading levels", "compiling"]
    assert lines[-3].startswith(f"finished after {frames:,} frames, ")
    assert str(trained) in lines[-3]
    rate = rows(trained)[-1][f"evaluation/{HELD_OUT}"]
    assert lines[-2] == f"  {HELD_OUT}: {rate:.1%} solved, greedy"


@pytest.mark.slow
def test_printed_command_works(trained, trained_said, tmp_path):
    words = shlex.split(trained_said.splitlines()[-1])
    assert words[0] == "next:"
    words[words.index(str(trained))] = str(copied(trained, tmp_path / "run"))
    done = moravec(*words[words.index("moravec") + 1 :])
    assert done.returncode == 0, done.stderr
    assert "success" in done.stdout
    assert "playing" in done.stderr
    assert re.search(" 4 +50 ", done.stdout)  # thinking steps, levels


@pytest.mark.slow
def test_configuration_reproduces_a_run(trained, tmp_path):
    done = moravec("train", "--config", trained / "config.json", "--run-dir", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert_same_run(tmp_path / "run", trained)
    assert (tmp_path / "run/config.json").read_bytes() == (trained / "config.json").read_bytes()


def test_finished_run(trained, tmp_path):
    """Resuming it harms nothing, and publishes its policy again."""
    run = copied(trained, tmp_path / "run")
    (run / "policy.npz").write_bytes(b"damaged")
    assert_one_line(moravec("evaluate", run), "policy.npz is damaged", "--resume writes it again")

    done = moravec("train", "--resume", run)
    assert done.returncode == 0, done.stderr
    assert f"finished after {int(rows(trained)[-1]['frames']):,} frames" in done.stderr
    assert_same_run(run, trained)


@pytest.mark.slow
def test_more_frames(trained, tmp_path):
    run = copied(trained, tmp_path / "run")
    done = moravec("train", "--resume", run, "--max-frames", FRAMES + 200, "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("finished")
    more = rows(run)
    assert FRAMES + 200 <= more[-1]["frames"] < FRAMES + 300
    assert more[: len(rows(trained))] == rows(trained)
    assert json.loads((run / "config.json").read_text())["max_frames"] == FRAMES + 200


@pytest.mark.slow
def test_seeds_differ(trained, tmp_path):
    run = tmp_path / "run"
    assert moravec("train", *TINY, "--run-dir", run, "--seed", 1).returncode == 0
    mine, others = arrays(run), arrays(trained)
    weights = [name for name in mine if name.startswith("policy ") and name.endswith("/w")]
    assert weights
    assert all(mine[name] != others[name] for name in weights)


@pytest.mark.slow
def test_parameters_to_begin_with(trained, tmp_path):
    run = tmp_path / "run"
    options = ("--init-from", trained, "--agent.learning-rate", "1e-30", "--max-frames", "20")
    done = moravec("train", *TINY, *options, "--run-dir", run)
    assert done.returncode == 0, done.stderr
    mine, others = (published.load(path / "policy.npz").params for path in (run, trained))
    assert mine.keys() == others.keys()
    for name in mine:
        np.testing.assert_allclose(mine[name], others[name], atol=1e-20)
    learnt = published.load(trained / "policy.npz").frames
    assert prerequisites.frames(run_folder.open_run(run)) == learnt
    assert f" and {learnt:,} of the runs that it began with, " in done.stderr


@pytest.mark.slow
def test_minutes_stop_early(tmp_path):
    run = tmp_path / "run"
    options = ("--max-minutes", "0.02", "--max-frames", "1000000")
    done = moravec("train", *TINY, *options, "--run-dir", run)
    assert done.returncode == 0, done.stderr
    last = rows(run)[-1]
    assert last["frames"] < 1_000_000
    assert f"evaluation/{HELD_OUT}" in last
    assert checkpoints.steps(run / "checkpoints")[-1] == last["frames"]
    assert "next: " in done.stderr


@pytest.mark.slow
def test_default_folder(tmp_path):
    done = moravec("train", *TINY, "--max-frames", "20", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "runs/sokoban_small").iterdir()
    complete(run)
    assert f"runs/sokoban_small/{run.name}" in done.stderr.splitlines()[-1]


def test_of_two_player_games_it_is_said_what_was_won_and_not_lost():
    evaluation = {"evaluation/optimal": 0.0, "evaluation/optimal/not_lost": 0.976}
    assert train._reached(evaluation) == ["  optimal: 0.0% won, 97.6% not lost, greedy"]
    assert train._reached({"evaluation/own": 0.5}) == ["  own: 50.0% solved, greedy"]
    predicted = {"evaluation/a/b": 0.0, "assessment/a/b/cell_accuracy": 0.99461}
    lines = ["  a/b, what is predicted there:", "    cell_accuracy 0.9946"]
    assert train._reached(predicted) == lines
