"""Go: superko and area scores against plain code of their own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.games.board.game import BoardState, board_game
from environments.games.board.rules import outcome, planes, superko
from tests.environments.games.board.play import random_game


def area(state: BoardState) -> int:
    """Black's area less White's: stones, and empty regions that touch one colour only."""
    height, width = state.game.shape
    board = planes(state)
    score = int(board[..., 1].sum()) - int(board[..., 2].sum())
    seen = set()
    for start in map(tuple, np.argwhere(board[..., 0]).tolist()):
        if start in seen:
            continue
        region, touched = [start], set()
        seen.add(start)
        for row, column in region:
            for r, c in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            ):
                if not (0 <= r < height and 0 <= c < width):
                    continue
                if not board[r, c, 0]:
                    touched.add(1 if board[r, c, 1] else -1)
                elif (r, c) not in seen:
                    seen.add((r, c))
                    region.append((r, c))
        score += len(region) * sum(touched)
    return score


@given(st.integers(2, 5), st.sampled_from([0.5, 3.5, 7.5, -2.5]), st.integers(0, 2**32 - 1))
def test_a_game_is_lost_by_who_repeats_else_scored_by_area(size, komi, seed):
    states = random_game(board_game(f"go(board_size={size},komi={komi})"), seed)
    *before, end = states
    stones = [planes(state).tobytes() for state in states]
    repeated = end.history[-1] != end.game.pass_action and stones[-1] in stones[:-1]
    assert superko(end) == repeated
    assert not any(superko(state) for state in before)
    mover = before[-1].player
    winner = 1 - mover if repeated else (0 if area(end) > komi else 1)
    assert outcome(end, winner) == "win"
    assert outcome(end, 1 - winner) == "loss"


def test_repeating_the_board_loses():
    found = 0
    game = board_game("go(board_size=2,komi=0.5)")
    for seed in range(100):
        end = random_game(game, seed)[-1]
        if superko(end):
            found += 1
            assert end.position.returns() == [0, 0]
            assert outcome(end, end.player) == "win"
            assert outcome(end, 1 - end.player) == "loss"
    assert found > 3


def test_handicap_stones_stand_before_white_begins():
    state = board_game("go(board_size=19,komi=0.5,handicap=4)").initial_state()
    assert state.player == 1
    assert planes(state)[..., 1].sum() == 4
    assert random_game(state.game, 0, length=6)[-1].player == 1


@pytest.mark.slow
@pytest.mark.parametrize("size", [5, 7])
def test_pgx_plays_the_same_go(size):
    import jax
    import pgx
    import pgx.go

    env = pgx.go.Go(size=size, komi=7.5)
    init, step = jax.jit(env.init), jax.jit(env.step)
    game = board_game(f"go(board_size={size},komi=7.5)")
    repetitions = 0
    for seed in range(60):
        theirs = init(jax.random.key(seed))
        first = int(theirs.current_player)
        for ours in random_game(game, seed):
            if ours.history:
                action = ours.history[-1]
                if action != game.pass_action:  # pgx counts cells from the top
                    row, column = divmod(action, size)
                    action = (size - 1 - row) * size + column
                theirs = step(theirs, action)
            black = bool(ours.player == 0)
            board = np.asarray(theirs.observation).reshape(size, size, -1)
            mine, other = (1, 2) if black else (2, 1)
            assert np.array_equal(board[..., 0], planes(ours)[..., mine])
            assert np.array_equal(board[..., 1], planes(ours)[..., other])
            assert bool(theirs.terminated) == (outcome(ours) is not None)
            if outcome(ours) is None:
                legal = np.asarray(theirs.legal_action_mask)
                cells = legal[:-1].reshape(size, size)[::-1].reshape(-1)
                assert np.array_equal([*cells, legal[-1]], ours.legal)
        won = float(theirs.rewards[first]) > 0
        assert outcome(ours) == ("win" if won else "loss")
        repetitions += superko(ours)
    if size == 5:
        assert repetitions > 0
