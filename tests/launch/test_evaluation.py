"""Evaluation: Wilson's interval, suites, and results that add up."""

import dataclasses
import json

import numpy as np
import pytest

import launch.suite_options
from agents.cnn.config import CNNConfig
from environments.errors import UserError
from environments.games.board.registration import TicTacToeOptions
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.spec import sokoban_spec
from environments.registry import EnvironmentOptions, entries, load_batched
from experiments.base import Evaluation, Experiment
from launch.columns import columns_of, rates_of, row_of
from launch.evaluation import (
    Contestant,
    Suites,
    evaluate,
    on_suite,
    random_contestant,
)
from launch.results import Result, wilson
from tests.environments.cases import CASES
from tests.launch.reports import evaluated
from tests.launch.test_rollouts import LIMIT, PUSHES, corridor, walker

OPTIONS = SokobanOptions(levels="not/looked/at", time_limit=(2, LIMIT))
SPEC = sokoban_spec((6, 12), OPTIONS)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # Newcombe 1998 (Statistics in Medicine 17), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_as_published(successes, trials, low, high):
    assert wilson(successes, trials) == pytest.approx((low, high), abs=6e-5)
    mirrored = wilson(trials - successes, trials)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=6e-5)


@pytest.mark.parametrize("trials", [1, 3, 1000, 9999])
def test_wilsons_interval_stays_between_0_and_1_and_holds_the_rate(trials):
    for successes in {0, 1, trials // 2, trials - 1, trials}:
        low, high = wilson(successes, trials)
        assert 0 <= low <= successes / trials <= high <= 1
        assert low < high


@pytest.fixture(scope="module")
def suite(tmp_path_factory) -> str:
    """A file of corridors; the fourth is solved with the last step of the time limit."""
    from environments.games.sokoban.text import format_levels

    path = tmp_path_factory.mktemp("levels") / "corridors.txt"
    path.write_text(format_levels(corridor(LIMIT - 1 if n is None else n, 10) for n in PUSHES))
    return str(path)


def contestant(patience: int = 0) -> Contestant:
    return Contestant("some/run", 123, walker(patience), (), OPTIONS, SPEC)


def test_results_add_up(suite):
    result = evaluate(contestant(patience=2), suite, seed=5)
    assert result.outcomes == {"solved": 6, "unsolved": 1}
    assert sum(result.outcomes.values()) == result.episodes == 7
    assert result.rate == 6 / 7
    assert result.ci95 == wilson(6, 7)
    lengths = [min(LIMIT, 2 + (n or 8)) for n in PUSHES]
    assert result.mean_length == pytest.approx(np.mean(lengths))
    assert result.mean_return == pytest.approx((6 * 11 - 0.1 * sum(lengths)) / 7, rel=1e-5)
    assert result.metrics == {
        "mean_length_solved": pytest.approx((sum(lengths) - LIMIT) / 6),
        "optimality_gap": 2.0,
        "optimal_share": 0.0,
        "optimum_unknown": 0,
    }
    document = json.loads(json.dumps(dataclasses.asdict(result)))
    told = (
        "run",
        "frames",
        "environment",
        "environment_version",
        "suite",
        "seed",
        "thinking_steps",
    )
    assert [document[key] for key in told] == ["some/run", 123, "sokoban", 1, suite, 5, 0]
    assert document["options"]["levels"] == suite
    assert document["options"]["board"] == [6, 12]


def test_thinking_and_the_number_of_episodes_are_handed_on(suite):
    result = evaluate(contestant(patience=2), suite, episodes=2, thinking_steps=2)
    assert (result.episodes, result.thinking_steps) == (2, 2)
    assert result.mean_length == (3 + 1) / 2
    assert evaluate(contestant(), suite, episodes=100).episodes == 7


def test_levels_larger_than_the_policys_boards_are_refused(suite):
    with pytest.raises(UserError, match="levels of 3x12 do not fit a 6x6 board"):
        on_suite(OPTIONS, sokoban_spec((6, 6), OPTIONS), suite)


def test_sprites_are_eight_pixels_a_cell(suite):
    options = dataclasses.replace(OPTIONS, observations=("sprites",))
    found, environment = on_suite(options, sokoban_spec((6, 12), options), suite)
    assert isinstance(found, SokobanOptions)
    assert dataclasses.asdict(found)["board"] == (6, 12)
    assert environment.spec.observation["sprites"].shape == (48, 96, 3)


def test_a_game_without_levels_has_no_suites(suite, monkeypatch):
    monkeypatch.setattr(launch.suite_options, "name_of", lambda options: "chase")
    with pytest.raises(UserError, match="chase has no level sets: leave --suite out"):
        on_suite(EnvironmentOptions(), SPEC, suite)


def played(suite: str, outcomes: dict[str, int], mean_return: float) -> Result:
    total, first = sum(outcomes.values()), next(iter(outcomes.values()))
    changes = {"episodes": total, "outcomes": outcomes, "mean_return": mean_return}
    return evaluated("run", suite, 0, rate=first / total, ci95=wilson(first, total), **changes)


def test_the_rates_of_a_game_that_can_be_drawn():
    outcomes = {"win": 1, "draw": 2, "loss": 4, "unfinished": 1}
    rates = rates_of(played("optimal", outcomes, 0.5))
    assert rates == {"evaluation/optimal": 1 / 8, "evaluation/optimal/not_lost": 3 / 8}
    assert tuple(rates) == columns_of("optimal", tuple(outcomes))
    assert rates_of(played("", {"solved": 1, "unsolved": 3}, 0.5)) == {"evaluation/own": 1 / 4}


def test_the_score_of_a_game_that_is_played_for_it():
    outcomes = {"survived": 1, "caught": 3}
    rates = rates_of(played("", outcomes, 7.5))
    assert rates == {"evaluation/own": 1 / 4, "evaluation/own/score": 7.5}
    assert tuple(rates) == columns_of("", tuple(outcomes))


def test_a_row_tells_what_it_has_columns_for():
    result = evaluated("run", "a", 50, metrics={"accuracy": 0.5, "mean_length_solved": 3.0})
    columns = ("frames", "evaluation/a", "assessment/a/accuracy")
    assert row_of([result], columns) == {"evaluation/a": 0.25, "assessment/a/accuracy": 0.5}


@pytest.mark.parametrize("name", [name for name, entry in entries().items() if entry.batched])
def test_the_games_with_a_score_among_the_columns_are_registered_as_scored(name):
    columns = columns_of("", load_batched(name, **CASES[name].options).spec.outcomes)
    assert ("evaluation/own/score" in columns) == ("scored" in entries()[name].tags)


def test_an_unknown_suite_is_refused():
    with pytest.raises(UserError, match="no suite 'hrad'; did you mean 'hard'"):
        evaluate(contestant(), "hrad")


def test_random_play_on_a_suite(suite):
    """On boards of the suite's own size, unless one is asked for; the same with the same seed."""
    padded = random_contestant(dataclasses.replace(OPTIONS, board=(20, 20)), suite)
    assert padded.spec.observation["planes"].shape == (20, 20, 4)
    player = random_contestant(OPTIONS, suite)
    assert player.spec.observation["planes"].shape == (3, 12, 4)
    results = [evaluate(player, suite, seed=seed) for seed in (0, 0, 1)]
    assert results[0] == results[1]
    assert results[0].mean_return != results[2].mean_return
    assert results[0].run == "random"


def _experiment(evaluation: Evaluation, options: EnvironmentOptions = OPTIONS, seed: int = 0):
    """As far as evaluation goes."""
    return Experiment("tiny", options, CNNConfig(), evaluation=evaluation, seed=seed)


def test_a_run_is_evaluated_with_its_own_seed():
    """As `evaluate` does with that seed; other runs meet other games."""
    options, evaluation = TicTacToeOptions(), Evaluation(suites=("random",), episodes=50)
    player = random_contestant(options, "random")

    def while_training(seed):
        experiment = _experiment(evaluation, options, seed)
        (result,) = Suites(experiment, player.agent, player.spec).evaluate((), lambda text: None)
        return result.seed, result.outcomes, result.mean_return

    def afterwards(seed):
        result = evaluate(player, "random", episodes=50, seed=seed)
        return result.seed, result.outcomes, result.mean_return

    found = [while_training(seed) for seed in (0, 1, 2)]
    assert found == [afterwards(seed) for seed in (0, 1, 2)]
    assert len({str(outcomes) for _, outcomes, _ in found}) > 1


def test_suites_while_training_give_what_evaluate_gives(suite):
    """The number of episodes is that of the suite, if it has fewer levels than are asked for."""
    for asked, solved in ((4, 3), (500, 6)):
        evaluation = Evaluation(suites=(suite,), episodes=asked, every_frames=100)
        suites = Suites(_experiment(evaluation), walker(patience=2), SPEC)
        assert suites.columns == (f"evaluation/{suite}",)
        said = []
        (result,) = suites.evaluate((), said.append)
        whole = evaluate(contestant(patience=2), suite, episodes=asked)
        without_solver = {"mean_length_solved": whole.metrics["mean_length_solved"]}
        expected = dataclasses.replace(whole, run="", frames=0, metrics=without_solver)
        assert result == expected
        assert result.outcomes["solved"] == solved
        assert row_of([result], suites.columns) == {suites.columns[0]: result.rate}
        assert (
            said[-1] == f"evaluation/{suite}, {result.episodes} episodes: {result.episodes} played"
        )


def test_suites_are_due_whenever_so_many_frames_are_passed(suite):
    suites = Suites(_experiment(Evaluation(suites=(suite,), every_frames=100)), walker(), SPEC)
    due = [(0, 99), (0, 100), (99, 101), (101, 199), (150, 450)]
    assert [suites.due(*pair) for pair in due] == [False, True, True, False, True]
    never = Suites(_experiment(Evaluation(suites=(suite,))), walker(), SPEC)
    assert not never.due(0, 10**9)
