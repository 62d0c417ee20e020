"""The solver as a player: its advice is the plan, which costs one search, wherever it is left."""

import pickle

import numpy as np
import pytest

from environments.games.sokoban import rules
from environments.players.base import Player
from environments.players.sokoban import player as module
from environments.players.sokoban.player import SokobanSolver
from environments.players.sokoban.solver import solve
from tests.environments.games.sokoban.boards import level, real_levels

START = real_levels()[0]


@pytest.fixture
def searches(monkeypatch) -> list[rules.State]:
    """The positions that are searched."""
    seen = []

    def counting(state, **limits):
        seen.append(state)
        return solve(state, **limits)

    monkeypatch.setattr(module, "solve", counting)
    return seen


def test_it_is_a_player():
    assert isinstance(SokobanSolver(), Player)


def test_following_the_advice_solves_the_level_with_one_search(searches):
    player, state = SokobanSolver(), rules.initial_state(START)
    plan = solve(START).actions
    for done, action in enumerate(plan):
        advice = player.advise(state)
        assert (advice.status, advice.action) == ("advised", action)
        assert advice.plan == plan[done:]
        assert advice.value == done - len(plan)
        state = rules.apply(state, action)
        assert advice.target_planes is not None
        np.testing.assert_array_equal(advice.target_planes, rules.planes(state))
    last = player.advise(state)
    assert (last.status, last.action, last.plan, last.value) == ("solved", None, (), 0.0)
    assert len(searches) == 1


def test_asking_twice_and_going_back_cost_nothing(searches):
    player, state = SokobanSolver(), rules.initial_state(START)
    first = player.advise(state)
    assert first.action is not None
    player.advise(rules.apply(state, first.action))
    again = player.advise(state)
    assert again.plan == first.plan
    assert len(searches) == 1


def test_a_departure_is_searched_anew(searches):
    player, state = SokobanSolver(), rules.initial_state(START)
    advice = player.advise(state)
    on_plan = {advice.action}
    other = next(a for a in rules.legal_actions(state) if a not in on_plan)
    departed = rules.apply(state, other)
    assert player.advise(departed).plan == solve(departed).actions
    assert len(searches) == 2
    elsewhere = rules.initial_state(real_levels()[1])
    assert player.advise(elsewhere).plan == solve(elsewhere).actions


def test_a_lost_position_is_said_to_be(searches):
    player, state = SokobanSolver(), rules.initial_state(level("######", "#$@ .#", "######"))
    for _ in range(2):
        advice = player.advise(state)
        assert (advice.status, advice.action, advice.target_planes) == ("unsolvable", None, None)
    assert len(searches) == 1


def test_too_few_nodes_are_remembered_a_missed_deadline_is_not(searches):
    state = rules.initial_state(START)
    player = SokobanSolver(max_nodes=5)
    assert [player.advise(state).status for _ in range(2)] == ["gave_up", "gave_up"]
    assert len(searches) == 1
    player = SokobanSolver()
    assert player.advise(state, deadline=0.0).status == "gave_up"
    assert player.advise(state).status == "advised"


def test_snapshots(searches):
    player, state = SokobanSolver(), rules.initial_state(START)
    advice = player.advise(state)
    snapshot = pickle.loads(pickle.dumps(player.snapshot()))
    player.close()
    other = SokobanSolver()
    other.restore(snapshot)
    assert other.advise(state).plan == advice.plan
    assert len(searches) == 1
