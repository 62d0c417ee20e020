"""Positions that one move wins: all of tic-tac-toe's, and what becomes of the move."""

from typing import Any

import numpy as np
import pytest

from environments import load
from environments.embedded.boards.positions import one_move_wins, winning_moves
from environments.games.board import rules
from environments.games.board.game import board_game
from tests.environments.embedded.boards.arm import STILL, fist_on

LINES = [
    *[[(i, j) for j in range(3)] for i in range(3)],
    *[[(i, j) for i in range(3)] for j in range(3)],
    [(i, i) for i in range(3)], [(i, 2 - i) for i in range(3)],
]  # fmt: skip


def test_they_are_just_those_with_one_line_to_complete():
    game = board_game("tic_tac_toe")
    found = one_move_wins(game)
    assert len({game.state_after(history).planes.tobytes() for history in found}) == len(found)
    for history in found:
        state = game.state_after(history)
        own, empty = state.planes[..., 1], state.planes[..., 0]
        open_ends = {
            cell
            for line in LINES
            for cell in line
            if empty[cell] and sum(own[other] for other in line) == 2
        }
        assert [divmod(action, 3) for action in winning_moves(state)] == list(open_ends)
        assert len(open_ends) == 1
        assert empty.sum() > 1
        assert rules.outcome(state) is None


@pytest.mark.parametrize("wins", [True, False])
def test_one_move_decides(wins):
    environment: Any = load("mujoxo", task="win1", seed=0)
    assert environment.num_levels == len(one_move_wins(board_game("tic_tac_toe")))
    for level in (0, environment.num_levels // 2):
        shown = environment.reset_to(level).observation
        state = environment.state
        np.testing.assert_array_equal(shown["planes"], state.planes)
        stones = int(state.planes[..., 1:].sum())
        assert (shown["markers/position"] != 0).any(axis=1).sum() == stones
        (action,) = winning_moves(state)
        if not wins:
            action = next(a for a in np.flatnonzero(state.legal) if a != action)
        fist_on(environment.embedding, *divmod(int(action), 3))
        step = environment.step(STILL)
        assert step.last()
        assert (environment.outcome, step.reward, step.discount) == (
            "win" if wins else "loss", float(wins), 0,
        )  # fmt: skip
