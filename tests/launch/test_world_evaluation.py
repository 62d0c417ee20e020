"""Evaluation in single environments: the script on MuJoBan, random play, failures in threads."""

import json

import dm_env
import numpy as np
import pytest

from environments.embedded.mujoban.registration import MujobanOptions
from environments.errors import UserError
from environments.games.board.registration import TicTacToeOptions
from environments.hints.options import HintOptions
from environments.players.base import Advice
from environments.players.random import RandomPlayer
from environments.registry import build_batched
from launch import cli
from launch.baselines import random_policy, scripted_policy
from launch.evaluation import episodes_on
from launch.suite_options import told
from launch.world_evaluation import WORLDS, Entrant, evaluate_worlds
from tests.launch.commands import LEVELS

OPTIONS = MujobanOptions(levels=LEVELS, time_limit=20.0)
SCRIPTED = Entrant("scripted", 0, lambda environment, seed: scripted_policy(environment))
RANDOM = Entrant(
    "random", 0, lambda environment, seed: random_policy(environment.action_spec(), seed)
)


def test_the_script_solves_small_levels_with_the_fewest_moves(capsys):
    told = []
    result = evaluate_worlds(SCRIPTED, OPTIONS, LEVELS, episodes=WORLDS + 3, report=told.append)
    assert result.outcomes == {"solved": WORLDS + 3, "unsolved": 0}
    assert result.rate == 1.0
    assert (result.run, result.environment, result.suite) == ("scripted", "mujoban", LEVELS)
    assert result.metrics["optimality_gap"] == 0.0
    assert 1 <= result.metrics["mean_moves_solved"] < result.mean_length
    assert told[-1] == WORLDS + 3
    assert told == sorted(told)


def test_results_follow_from_the_seed():
    options = MujobanOptions(levels=LEVELS, time_limit=1.0)
    results = [evaluate_worlds(RANDOM, options, "", episodes=10, seed=seed) for seed in (0, 0, 1)]
    assert results[0] == results[1]
    assert results[0].mean_length == 10.0
    assert results[0].outcomes["unsolved"] == 10


def test_an_episode_in_which_physics_fails_is_lost_and_the_others_are_played(caplog):
    def make(environment, seed):
        script = scripted_policy(environment)

        def act(environment, timestep: dm_env.TimeStep) -> np.ndarray:
            action = script(environment, timestep)
            if environment.level_index == 1:
                environment.simulation.data.qvel[:] = np.nan
            return action

        return act

    result = evaluate_worlds(Entrant("some", 0, make), OPTIONS, LEVELS, episodes=3)
    assert result.outcomes == {"solved": 2, "unsolved": 1}
    said = [line for line in caplog.messages if "given up" in line]
    assert len(said) == 1
    assert said[0].startswith("an episode on level 1 is given up: MuJoCo warns of BADQVEL")


def test_levels_are_played_in_their_order_and_once():
    seen: list[tuple[int, int]] = []

    def make(environment, seed):
        policy = random_policy(environment.action_spec(), seed)

        def act(environment, timestep: dm_env.TimeStep) -> np.ndarray:
            if timestep.first():
                seen.append((id(environment), environment.level_index))
            return policy(environment, timestep)

        return act

    options = MujobanOptions(levels=LEVELS, time_limit=0.1)
    result = evaluate_worlds(Entrant("some", 0, make), options, "")
    assert result.episodes == 50
    assert sorted(level for _, level in seen) == list(range(50))
    for world in {world for world, _ in seen}:
        levels = [level for other, level in seen if other == world]
        assert levels == list(range(levels[0], 50, WORLDS))


def test_what_fails_in_one_world_ends_the_evaluation():
    def make(environment, seed):
        def act(environment, timestep):
            if environment.level_index == 3:
                raise ZeroDivisionError("on purpose")
            return np.zeros(3, np.float32)

        return act

    options = MujobanOptions(levels=LEVELS, time_limit=0.5)
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        evaluate_worlds(Entrant("some", 0, make), options, "", episodes=8)


def test_a_suite_that_does_not_fit_is_refused():
    with pytest.raises(UserError, match="there is no suite 'nonsense'"):
        evaluate_worlds(RANDOM, OPTIONS, "nonsense")


def test_command_line(capsys):
    args = ("scripted", "--environment", "mujoban", "--suite", LEVELS, "--episodes", "2", "--json")
    assert cli.main(["evaluate", *args]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["environment"], result["outcomes"]) == ("mujoban", {"solved": 2, "unsolved": 0})
    assert result["options"]["levels"] == LEVELS


def test_options_of_the_environment_on_the_command_line(capsys):
    args = ("random", "--environment", "mujoban", "--environment.levels", LEVELS, "--episodes", "1")
    assert cli.main(["evaluate", *args, "--environment.time-limit", "0.5", "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["mean_length"], result["suite"]) == (5.0, LEVELS)
    assert result["options"]["time_limit"] == 0.5


def test_a_board_game_against_an_opponent(capsys):
    args = ("random", "--environment", "mujoxo", "--suite", "random", "--episodes", "1", "--json")
    assert cli.main(["evaluate", *args]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert result["options"]["opponent"] == "random"
    assert sum(result["outcomes"].values()) == 1
    assert "optimality_gap" not in result["metrics"]
    assert result["metrics"]["illegal_presses"] >= 0


def test_a_game_without_levels_is_played_as_often_as_in_the_batched_face():
    options = TicTacToeOptions(opponent="random")
    asked = episodes_on(options, build_batched(options), 0)
    assert evaluate_worlds(RANDOM, options, "").episodes == asked == 200


def test_games_in_which_the_opponent_fails_are_told(monkeypatch, caplog):
    advise = RandomPlayer.advise

    def fails_at_first(self, state, deadline=None):
        return Advice("failed") if len(state.history) < 2 else advise(self, state, deadline)

    options = TicTacToeOptions(opponent="random")
    assert evaluate_worlds(RANDOM, options, "", episodes=4).metrics["opponent_failed"] == 0
    assert not caplog.messages
    monkeypatch.setattr(RandomPlayer, "advise", fails_at_first)
    result = evaluate_worlds(RANDOM, options, "", episodes=4)
    assert result.outcomes["unfinished"] == 4
    assert result.metrics["opponent_failed"] == 1
    assert caplog.messages == ["the opponent failed in 4 of 4 games: they are unfinished"]


def test_evaluation_tells_every_hint_and_goes_on_to_the_end():
    hints = HintOptions("solver", kind="target", dropout=0.5, until_lost=True)
    told_ = told(MujobanOptions(levels=LEVELS, hints=hints))
    assert told_ == MujobanOptions(levels=LEVELS, hints=HintOptions("solver", kind="target"))
