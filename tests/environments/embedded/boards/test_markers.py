"""Markers follow the planes, whatever game is played."""

import numpy as np
import pytest

from environments.embedded.boards.markers import Markers
from environments.embedded.boards.scene import build_scene
from environments.embedded.boards.spec import BoardSpec, board_for
from environments.games.board import rules
from environments.games.board.game import board_game

GAMES = (
    "tic_tac_toe", "go(board_size=5)", "othello", "connect_four", "hex(board_size=4)",
    "havannah(board_size=3)",
)  # fmt: skip


def drawn(scene, model) -> np.ndarray:
    """`[H, W] int`: 0 nothing, 1 first player, 2 second player."""
    board = np.zeros((scene.spec.rows, scene.spec.columns), int)
    for cell, site in zip(scene.spec.cells, scene.markers, strict=True):
        rgba = model.site_rgba[site]
        for player, colour in enumerate(np.array(scene.spec.marker_colours, np.float32), 1):
            if rgba[3] and (rgba == colour).all():
                board[cell] = player
    return board


@pytest.mark.parametrize("name", GAMES)
def test_what_is_drawn_is_what_the_planes_say(name):
    game = board_game(name)
    scene = build_scene(board_for(game))
    model, other = scene.new_model(), scene.new_model()
    markers, copy = Markers(scene, model), Markers(scene, other)
    rng = np.random.default_rng(0)
    for _ in range(2):
        state = game.initial_state()
        markers.reset(state.planes)
        while rules.outcome(state) is None:
            state = rules.apply(state, int(rng.choice(np.flatnonzero(state.legal))))
            markers.show(state.planes, {}, rng)
            expected = state.planes[..., 1] + 2 * state.planes[..., 2]
            np.testing.assert_array_equal(drawn(scene, model), expected)
            sites = scene.markers[model.site_rgba[scene.markers, 3] > 0]
            listed = {tuple(position) for position in markers.positions}
            assert {tuple(p) for p in model.site_pos[sites].astype(np.float32)} <= listed
    copy.restore(markers.snapshot())
    np.testing.assert_array_equal(drawn(scene, other), drawn(scene, model))
    np.testing.assert_array_equal(other.site_pos[sites], model.site_pos[sites])
    np.testing.assert_array_equal(copy.positions, markers.positions)


def test_a_snapshot_is_not_touched_by_what_follows():
    scene = build_scene(BoardSpec(2, 2))
    markers = Markers(scene, scene.new_model())
    planes = np.zeros((2, 2, 3), bool)
    markers.reset(planes)
    snapshot = markers.snapshot()
    planes[0, 1, 1] = True
    markers.show(planes, {(0, 1): np.array([0.01, 0.02, 0.03])})
    assert not snapshot.positions.any()
    np.testing.assert_allclose(markers.positions[0], (0.01, 0.02, 0.03))
    markers.restore(snapshot)
    assert not markers.positions.any()


def test_a_player_who_runs_out_of_markers_takes_the_oldest():
    scene = build_scene(BoardSpec(1, 3, markers=2))
    model, other = scene.new_model(), scene.new_model()
    markers, copy = Markers(scene, model), Markers(scene, other)
    planes = np.zeros((1, 3, 3), bool)
    markers.reset(planes)
    for column in range(3):
        planes[0, column, 2] = True
        markers.show(planes, {})
    np.testing.assert_allclose(markers.positions[2], scene.spec.centre(0, 2))
    np.testing.assert_allclose(markers.positions[3], scene.spec.centre(0, 1))
    copy.restore(markers.snapshot())  # three stones are on the board all the same
    for shown in (model, other):
        centres = [scene.spec.centre(0, column) for column in range(3)]
        np.testing.assert_allclose(shown.site_pos[scene.markers], centres, atol=1e-6)
