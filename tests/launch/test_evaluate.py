"""`moravec evaluate`: one JSON document with stable keys, every level once, always the same."""

import json
from pathlib import Path

import numpy as np
import pytest

import environments
from launch import cli, load_policy, rollouts
from launch.evaluation import on_suite
from tests.environments.games.sokoban.boards import DATA
from tests.launch.commands import HELD_OUT, LEVELS, copied

KEYS = [
    *("run", "frames", "environment", "environment_version", "options", "suite", "seed"),
    *("thinking_steps", "episodes", "outcomes", "rate", "ci95", "mean_return", "mean_length"),
    *("metrics", "simulations", "model", "model_frames"),
]
FIVE = "#####\n#@$.#\n#   #\n#   #\n#####\n"
FOUR = "####\n#@ #\n#$.#\n####\n"  # cannot be solved
SIX = "######\n#@$ .#\n#    #\n#    #\n#    #\n######\n"


def evaluate(capsys, *args) -> list[dict]:
    """Runs `moravec evaluate ARGS --json` in this process; the document."""
    assert cli.main(["evaluate", *map(str, args), "--json"]) == 0
    out, err = capsys.readouterr()
    assert "playing" in err
    return json.loads(out)


@pytest.fixture(scope="module")
def trained(trained, tmp_path_factory):
    """A copy, for what is evaluated here is kept in the run folder."""
    return copied(trained, tmp_path_factory.mktemp("evaluated") / "run")


def test_json(trained, capsys):
    results = evaluate(capsys, trained, "--thinking-steps", 0, 2)
    assert [list(result) for result in results] == [KEYS, KEYS]
    assert [result["thinking_steps"] for result in results] == [0, 2]
    for result in results:
        assert result["run"] == str(trained)
        assert result["environment"] == "sokoban"
        assert result["suite"] == HELD_OUT
        assert result["options"]["levels"] == HELD_OUT
        assert result["episodes"] == 50
        assert list(result["outcomes"]) == ["solved", "unsolved"]
        assert sum(result["outcomes"].values()) == 50
        assert result["rate"] == result["outcomes"]["solved"] / 50
        low, high = result["ci95"]
        assert 0 <= low <= result["rate"] <= high <= 1
        assert 1 <= result["mean_length"] <= 10
    kept = [json.loads(path.read_text()) for path in (trained / "evaluation").glob("*.json")]
    assert all(result in kept for result in results)


def test_another_environment_is_played_and_its_result_not_kept_among_the_runs_own(
    trained, tmp_path, capsys
):
    run = copied(trained, tmp_path / "run")  # which nobody else evaluates
    short = ("--environment.time-limit", "1", "1")
    (result,) = evaluate(capsys, run, *short, "--episodes", 5)
    assert result["options"]["time_limit"] == [1, 1]
    assert result["suite"] == HELD_OUT
    assert result["mean_length"] == 1
    others = LEVELS.replace("seed=0", "seed=7")
    (result,) = evaluate(capsys, run, "--environment.levels", others, "--episodes", 5)
    assert result["suite"] == others != LEVELS
    assert not (run / "evaluation").exists()


@pytest.mark.slow
def test_same_every_time(trained, capsys):
    once = evaluate(capsys, trained, "--suite", LEVELS)
    assert evaluate(capsys, trained, "--suite", LEVELS) == once


def test_episodes(trained, capsys):
    (few,) = evaluate(capsys, trained, "--suite", LEVELS, "--episodes", 7)
    assert few["episodes"] == sum(few["outcomes"].values()) == 7
    (all_of_them,) = evaluate(capsys, trained, "--suite", LEVELS, "--episodes", 1000)
    assert all_of_them["episodes"] == 50


def test_every_level_once_in_any_batch(trained):
    policy = load_policy(trained)
    _, environment = on_suite(policy.experiment.environment, policy.spec, LEVELS)

    def play(batch):
        return rollouts.play(policy.agent, policy.params, environment, episodes=50, batch=batch)

    whole, parts = play(50), play(7)
    assert whole.length.shape == (50,)
    solved = whole.outcome == 0
    assert 0 < solved.sum() < 50  # so that the order of levels shows
    np.testing.assert_array_equal(parts.outcome, whole.outcome)
    np.testing.assert_array_equal(parts.length[solved], whole.length[solved])


def test_random_baseline(tmp_path, capsys):
    path = tmp_path / "levels.txt"
    path.write_text(f"{FIVE}\n" * 40)
    (result,) = evaluate(capsys, "random", "--suite", path)
    assert (result["run"], result["frames"], result["episodes"]) == ("random", 0, 40)
    assert result["rate"] > 0.5  # one push to the right
    (again,) = evaluate(capsys, "random", "--suite", path)
    assert again == result
    (other,) = evaluate(capsys, "random", "--suite", path, "--seed", 1)
    assert other["mean_length"] != result["mean_length"]


def test_the_solver_solves_every_level_with_the_fewest_moves(capsys):
    hard = DATA / "hard"
    (result,) = evaluate(capsys, "solver", "--environment", "sokoban", "--suite", hard)
    assert list(result) == KEYS
    assert (result["run"], result["frames"], result["episodes"]) == ("solver", 0, 30)
    assert result["outcomes"] == {"solved": 30, "unsolved": 0}
    length = result["mean_length"]
    assert result["metrics"] == {
        "mean_length_solved": length,
        "optimality_gap": 0.0,
        "optimal_share": 1.0,
        "optimum_unknown": 0,
    }
    assert result["mean_return"] == pytest.approx(4 + 10 - 0.1 * length, rel=1e-5)


def test_the_solver_meets_levels_that_it_cannot_solve(tmp_path, capsys):
    path = tmp_path / "levels.txt"
    path.write_text(f"{FIVE}\n{FOUR}")
    (result,) = evaluate(capsys, "solver", "--suite", path)
    assert result["outcomes"] == {"solved": 1, "unsolved": 1}
    assert (result["metrics"]["optimality_gap"], result["mean_length"]) == (0.0, (1 + 120) / 2)


def test_the_solver_plays_no_other_game(capsys):
    args = ["evaluate", "solver", "--environment", "mujoban", "--suite", str(DATA / "hard")]
    assert cli.main(args) == 2
    assert "the solver plays sokoban alone" in capsys.readouterr().err


def test_path_as_suite(trained, tmp_path, capsys, monkeypatch):
    """Smaller levels are padded; larger ones are refused; a bare file name is a path too."""
    monkeypatch.chdir(tmp_path)
    Path("levels.txt").write_text(f"{FIVE}\n{FOUR}")
    (result,) = evaluate(capsys, trained, "--suite", "levels.txt")
    assert result["episodes"] == 2
    assert result["outcomes"]["unsolved"] >= 1
    assert result["options"]["board"] == [5, 5]
    Path("large.txt").write_text(SIX)
    assert cli.main(["evaluate", str(trained), "--suite", "large.txt"]) == 2
    assert "levels of 6x6 do not fit a 5x5 board" in capsys.readouterr().err


def test_of_a_suite_with_some_levels_that_are_too_large_the_others_are_played(
    trained, tmp_path, capsys, caplog
):
    path = tmp_path / "levels.txt"
    path.write_text(f"{FIVE}\n{SIX}\n{FIVE}")
    (result,) = evaluate(capsys, trained, "--suite", path)
    assert result["episodes"] == 2
    place = f"{path}:7:1: levels of 6x6 do not fit a 5x5 board"
    (baseline,) = evaluate(capsys, "random", "--suite", path, "--environment.board", 5, 5)
    assert baseline["episodes"] == 2
    (warning,) = caplog.messages  # it is said once
    assert f"{path}: 2 levels; left out: {place}" in warning


def test_boards_are_of_the_size_that_is_asked_for(trained, tmp_path, capsys, monkeypatch):
    (tmp_path / "levels").mkdir()
    (tmp_path / "levels" / "a.xsb").write_text(FIVE)
    monkeypatch.chdir(tmp_path)
    for baseline in ("random", "solver"):
        board = ("--environment.board", 8, 9)
        (result,) = evaluate(capsys, baseline, "--suite", "levels", *board)  # without a slash
        assert result["options"]["board"] == [8, 9]
    board = ["--environment.board", "8", "9"]
    assert cli.main(["evaluate", str(trained), *board]) == 2
    assert "[5, 5, 4], but the environment shows [8, 9, 4]" in capsys.readouterr().err


def test_policy_by_hand(trained):
    """What a Python user writes: one episode of the dm_env face."""
    policy = load_policy(trained)
    environment = environments.load("sokoban", levels=LEVELS, time_limit=(8, 10), seed=0)
    step, core, first = environment.reset(), policy.initial_core(1), True
    steps = 0
    while not step.last():
        observation = {name: value[None] for name, value in step.observation.items()}
        action, core = policy(observation, np.array([first]), core)
        assert action.shape == (1,)
        step, first = environment.step(int(action[0])), False
        steps += 1
    assert 1 <= steps <= 10


@pytest.mark.parametrize("suite", ["small_heldout", "generated:size=5", "/nonexistent"])
def test_wrong_suite(trained, capsys, suite):
    assert cli.main(["evaluate", str(trained), "--suite", suite, "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "moravec: " in err.splitlines()[-1]


def test_a_suite_of_a_two_player_game_is_an_opponent(capsys):
    """In the batched face or, of those who do not play there, in the other; drawn games tell."""
    game = ("random", "--environment", "tic_tac_toe", "--episodes", 40)
    suites = ("--suite", "optimal", "mcts(simulations=50)")
    batched, single = evaluate(capsys, *game, *suites)
    for result, opponent in ((batched, "optimal"), (single, "mcts(simulations=50)")):
        assert result["options"]["opponent"] == result["suite"] == opponent
        assert list(result["outcomes"]) == ["win", "draw", "loss", "unfinished"]
        assert sum(result["outcomes"].values()) == result["episodes"] == 40
    assert batched["outcomes"]["win"] == batched["outcomes"]["unfinished"] == 0
    assert 0 < batched["outcomes"]["loss"] < 40
    assert cli.main(["evaluate", *map(str, game), "--suite", "optimal"]) == 0
    table = capsys.readouterr().out
    assert all(column in table for column in ("games", "win", "draw", "loss", "0.0%"))
