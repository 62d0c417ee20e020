"""Games that begin with stones on the board, and observations that leave out where they are."""

from typing import Any

import numpy as np
import pytest

import environments
from environments.embedded.boards.random_plies import random_position
from environments.errors import UserError
from environments.games.board import rules
from environments.games.board.game import board_game
from tests.environments.embedded.boards.arm import embedded


@pytest.mark.parametrize("name", ["tic_tac_toe", "go(board_size=5)", "connect_four"])
def test_the_game_goes_on_and_it_is_the_players_turn(name):
    start, rng, lengths = board_game(name).initial_state(), np.random.default_rng(0), set()
    for _ in range(60):
        state = random_position(start, 0, 12, rng)
        assert state.player == 0
        assert rules.outcome(state) is None
        assert start.game.pass_action not in state.history
        lengths.add(len(state.history))
    assert lengths <= {0, 2, 4, 6, 8, 10, 12}
    assert {0, 2, 4, 6} <= lengths


def test_none_is_where_it_started():
    start = board_game("tic_tac_toe").initial_state()
    assert random_position(start, 0, 0, np.random.default_rng(0)) == start


def test_a_position_between_two_turns_is_taken_back():
    start = board_game("tic_tac_toe").initial_state()
    found = {len(random_position(start, 0, 1, np.random.default_rng(i)).history) for i in range(9)}
    assert found == {0}


def test_markers_lie_where_the_stones_are():
    embedding = embedded("tic_tac_toe", random_plies=6)
    rng, seen = np.random.default_rng(0), set()
    for _ in range(20):
        embedding.begin(0, rng)
        planes, state = embedding.planes(), embedding.state()
        assert state.player == 0
        np.testing.assert_array_equal(planes, rules.planes(state))
        sites = embedding.scene.markers.reshape(3, 3)
        alpha = embedding.simulation.model.site_rgba[sites][..., 3]
        np.testing.assert_array_equal(alpha > 0, ~planes[..., 0])
        spec = embedding.scene.spec
        for row, column in np.argwhere(~planes[..., 0]).tolist():
            off = embedding.simulation.model.site_pos[sites[row, column]] - spec.centre(row, column)
            assert np.all(np.abs(off[:2]) <= spec.sensor)
        seen.add(len(state.history))
    assert len(seen) > 2


def test_the_seed_decides_the_position():
    games = [environments.load("mujoxo", seed=seed, random_plies=6) for seed in (3, 3, 4)]
    shown = [np.stack([game.reset().observation["planes"] for _ in range(6)]) for game in games]
    np.testing.assert_array_equal(shown[0], shown[1])
    assert np.any(shown[0] != shown[2])


def test_without_random_moves_a_game_begins_as_ever():
    game = environments.load("mujoxo", seed=3)
    assert game.reset().observation["planes"][..., 0].all()


def test_what_is_not_asked_for_is_not_shown():
    game: Any = environments.load("mujoxo", observations=("proprioception",))
    keys = set(game.reset().observation)
    assert keys == set(game.observation_spec())
    assert all(key.startswith("jaco_arm/") for key in keys)
    game: Any = environments.load("mujoxo", observations=("planes", "markers"))
    assert set(game.reset().observation) == {"planes", "markers/position"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"random_plies": -1}, "random_plies must be at least 0, not -1"),
        ({"observations": ("plane",)}, "no observation kind 'plane'; did you mean 'planes'"),
        ({"observations": ()}, "observations must name at least one of proprioception"),
    ],
)
def test_mistakes_are_told_in_one_line(options, message):
    with pytest.raises(UserError, match=message):
        environments.load("mujoxo", **options)
