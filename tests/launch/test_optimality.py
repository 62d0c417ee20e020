"""Optimality gaps: counted over the solved levels whose fewest moves are known."""

import numpy as np
import pytest

from launch import optimality
from launch.rollouts import Episodes
from tests.environments.games.sokoban.boards import level
from tests.environments.players.sokoban.test_solver import hard_one
from tests.launch.test_rollouts import PUSHES, SOKOBAN, corridor

CORRIDORS = [corridor(pushes) for pushes in (3, 1, 5)]


def test_gap_and_share():
    found = optimality.optimality(CORRIDORS, [5, 1, 6])
    assert found == {"optimality_gap": 1.0, "optimal_share": 1 / 3, "optimum_unknown": 0}


def test_levels_that_the_solver_gives_up_are_left_out_and_counted(monkeypatch):
    monkeypatch.setattr(optimality, "_MAX_NODES", 2000)
    found = optimality.optimality([hard_one(), *CORRIDORS], [999, 3, 1, 5])
    assert found == {"optimality_gap": 0.0, "optimal_share": 1.0, "optimum_unknown": 1}
    assert optimality.optimality([hard_one()], [999]) == {"optimum_unknown": 1}


def test_nothing_to_compare():
    assert optimality.optimality([], []) == {}


def test_only_solved_episodes_count():
    """The fourth corridor is not solved; the others take one step more than they need."""
    outcome = np.array([0, 0, 0, 1, 0], np.int32)
    lengths = np.array([(pushes or 8) + 1 for pushes in PUSHES[:5]], np.int32)
    played = Episodes(outcome, np.zeros(5, np.float32), lengths)
    found = optimality.optimality_of(SOKOBAN, played)
    assert found == {"optimality_gap": 1.0, "optimal_share": 0.0, "optimum_unknown": 0}


def test_other_games_have_no_such_metrics():
    from tests.agents.toy import Chase

    played = Episodes(np.zeros(1, np.int32), np.zeros(1, np.float32), np.ones(1, np.int32))
    assert optimality.optimality_of(Chase.make(), played) == {}


@pytest.mark.parametrize("width", [6, 20])
def test_any_board_size(width):
    room = level("#" * width, f"#@$.{' ' * (width - 5)}#", "#" * width)
    assert optimality.optimality([room], [4])["optimality_gap"] == 3.0
