"""Where an action is pressed: a hand that comes down there makes it, on every board."""

import numpy as np
import pytest

from environments import entries, options_class
from environments.embedded.boards.embedding import BoardEmbedding
from environments.embedded.boards.registration import BoardOptions
from environments.embedded.boards.spec import board_for
from environments.embedded.boards.targets import targets_of
from environments.games.board import rules
from environments.games.board.game import BoardGame, BoardState, board_game
from tests.environments.embedded.boards.arm import STILL, Scripted, hand_at

BOARDS = {
    name: (made.openspiel, made.board(board_game(made.openspiel)))
    for name in entries()
    if issubclass(options_class(name), BoardOptions)
    for made in [options_class(name)()]
    if isinstance(made, BoardOptions)
} | {
    name: (name, board_for(board_game(name)))
    for name in ("go(board_size=5)", "othello", "hex(board_size=5)",
                 "havannah(board_size=3)")
}  # fmt: skip


def positions(game: BoardGame, lengths: tuple[int, ...]) -> list[BoardState]:
    """Of random games, with the first player to move; where it must pass, too, if it ever must."""
    rng, chosen = np.random.default_rng(0), {}
    for _ in range(60 if game.pass_action else 1):
        state = game.initial_state()
        while rules.outcome(state) is None:
            legal = np.flatnonzero(state.legal)
            if state.player == 0 and len(state.history) in lengths:
                chosen.setdefault(len(state.history), state)
            if state.player == 0 and len(state.history) and legal.tolist() == [game.pass_action]:
                chosen.setdefault("pass", state)
            others = legal[legal != game.pass_action]
            state = rules.apply(state, int(rng.choice(others if len(others) else legal)))
    return list(chosen.values())


@pytest.mark.parametrize("name", BOARDS)
def test_pressing_where_an_action_aims_makes_it(name):
    openspiel, spec = BOARDS[name]
    game = board_game(openspiel)
    states = positions(game, (0, 6))
    starts = tuple(state.history for state in states)
    embedding = BoardEmbedding(game, spec, Scripted(), starts=starts)
    rng, made, expected = np.random.default_rng(0), [], []
    for level, state in enumerate(states):
        for action in np.flatnonzero(state.legal).tolist():
            embedding.begin(level, rng)
            assert embedding.is_legal(action)
            hand_at(embedding, embedding.aim(action))
            made.append(embedding.advance(STILL, rng).made)
            expected.append(action)
    assert made == expected
    if game.pass_action is not None:
        assert game.pass_action in made


@pytest.mark.parametrize("name", BOARDS)
def test_every_action_has_targets_of_its_own(name):
    openspiel, spec = BOARDS[name]
    game = board_game(openspiel)
    squares = [
        {tuple(target.point) for target in targets_of(action, game, spec)}
        for action in range(game.num_actions)
        if action == game.pass_action
        or any(game.action_of_cell(*cell) == action for cell in spec.cells)
    ]
    assert all(squares)
    assert len(set.union(*squares)) == sum(map(len, squares))


def test_the_nearest_square_is_aimed_at():
    for name, action in (("connect_four", 3), ("go(board_size=7)", 49)):
        game = board_game(name)
        embedding = BoardEmbedding(game, board_for(game), Scripted())
        for target in targets_of(action, game, embedding.scene.spec):
            hand_at(embedding, target.point + (0, 0, 0.1))
            np.testing.assert_array_equal(embedding.aim(action), target.point)
