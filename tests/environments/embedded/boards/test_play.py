"""Games played by pressing: every move below is made by the arm's touch."""

import numpy as np
import pytest

from environments.games.board import rules
from tests.environments.embedded.boards.arm import (
    STILL,
    Scripted,
    embedded,
    environment,
    fist_at,
    fist_on,
    fist_on_plate,
)


def press(env, row: int, column: int):
    fist_on(env.embedding, row, column)
    return env.step(STILL)


def press_plate(env, side: int = 1):
    fist_on_plate(env.embedding, side)
    return env.step(STILL)


def shown(env) -> list[str]:
    """The markers that the scene draws, by cell: what colour of the two, and nothing else."""
    scene, model = env.embedding.scene, env.simulation.model
    colours = np.array(scene.spec.marker_colours, np.float32)
    board = np.full(env.embedding.game.shape, ".")
    for cell, site in zip(scene.spec.cells, scene.markers, strict=True):
        rgba = model.site_rgba[site]
        if rgba[3]:
            board[cell] = "xo"[int((rgba == colours[1]).all())]
            half = scene.spec.tile
            assert (np.abs(model.site_pos[site] - scene.spec.centre(*cell)) <= half).all()
    return ["".join(row) for row in board]


def test_a_press_is_a_move_and_the_opponent_answers_at_once():
    env = environment("tic_tac_toe", 0)
    fist_on(env.embedding, 1, 1)
    step = env.step(STILL)
    assert env.state.history == (4, 0)
    assert step.mid()
    assert step.reward == 0
    assert shown(env) == ["o..", ".x.", "..."]
    positions = step.observation["markers/position"]
    own, reply = positions[0], positions[5]
    np.testing.assert_allclose(own, env.embedding.scene.spec.centre(1, 1), atol=0.015)
    assert own[:2].any()  # where it was touched, not the middle
    reach = env.embedding.scene.spec.sensor
    assert (np.abs(reply - env.embedding.scene.spec.centre(0, 0)) <= (reach, reach, 1e-6)).all()
    assert not positions[[1, 2, 3, 4, 6, 7, 8, 9]].any()
    np.testing.assert_array_equal(step.observation["planes"], rules.planes(env.state))
    legal = step.observation["legal_actions"]
    assert np.flatnonzero(~legal).tolist() == [0, 4]


def test_the_arm_jumps_after_a_move_at_the_end_of_the_control_step():
    env = environment("tic_tac_toe", 0)
    step = press(env, 1, 1)
    data, scene = env.simulation.data, env.embedding.scene
    assert data.time == pytest.approx(0.05)
    assert not data.qvel.any()
    tool = data.site_xpos[scene.grip_site]
    assert 0.2 - 1e-4 <= tool[2] <= 0.4 + 1e-4
    assert not step.observation["jaco_arm/joints_vel"].any()
    env.step(STILL)
    assert data.time == pytest.approx(0.1)
    assert env.info["illegal_presses"] == 0


def test_the_arm_stays_if_it_is_told_to():
    env = environment("tic_tac_toe", 0, 2, reset_arm_after_move=False)
    tips = env.embedding.scene.spec.centre(1, 1)[2]
    press(env, 1, 1)
    assert env.simulation.data.site_xpos[env.embedding.scene.grip_site][2] < tips + 0.045
    for _ in range(3):
        env.step(STILL)
    assert env.state.history == (4, 0)
    assert env.info["illegal_presses"] == 0  # it goes on pressing where it has moved


def test_illegal_presses_do_nothing_and_count_once_each():
    env = environment("tic_tac_toe", 0)
    press(env, 1, 1)
    before = env.snapshot()
    for count in (1, 2):
        for _ in range(3):
            fist_on(env.embedding, 0, 0)
            step = env.step(STILL)  # one press that lasts
            assert env.info["illegal_presses"] == count
        assert env.state.history == (4, 0)
        assert step.mid()
        assert step.reward == 0
        fist_at(env.embedding, env.embedding.scene.spec.centre(0, 0) + (0, 0, 0.1))
        env.step(STILL)
    fist_on(env.embedding, 1, 1)  # another place, without a pause
    env.step(STILL)
    assert env.info["illegal_presses"] == 3
    env.restore(before)
    assert env.info["illegal_presses"] == 0
    env.reset()
    assert env.info["illegal_presses"] == 0


@pytest.mark.parametrize(
    ("moves", "replies", "outcome", "reward"),
    [
        ([(0, 0), (0, 1), (0, 2)], [3, 4], "win", 1.0),
        ([(0, 0), (0, 1), (2, 2)], [3, 4, 5], "loss", 0.0),
        ([(0, 0), (0, 1), (1, 2), (2, 0), (2, 2)], [2, 3, 4, 7], "draw", 0.5),
    ],
)
def test_games_end_with_their_reward(moves, replies, outcome, reward):
    env = environment("tic_tac_toe", *replies)
    for move in moves[:-1]:
        step = press(env, *move)
        assert step.mid()
        assert step.reward == 0
    step = press(env, *moves[-1])
    assert step.last()
    assert (step.reward, step.discount) == (reward, 0)
    assert env.outcome == outcome
    assert env.info["outcome"] == env.spec.outcomes.index(outcome)
    assert not step.observation["legal_actions"].any()
    data = env.simulation.data  # the arm stays where it pressed
    assert data.site_xpos[env.embedding.scene.grip_site][2] < 0.1
    assert env.step(STILL).first()
    assert shown(env) == ["...", "...", "..."]


def test_connect_four_presses_stand_for_their_column():
    env = environment("connect_four", 3)
    step = press(env, 0, 3)  # the top of the column: the stone falls
    assert env.state.history == (3, 3)
    assert shown(env)[-2:] == ["...o...", "...x..."]
    middle = env.embedding.scene.spec.centre(5, 3)
    reach = env.embedding.scene.spec.jitter * env.embedding.scene.spec.sensor
    fallen = step.observation["markers/position"][0]
    assert (np.abs(fallen - middle) <= (reach, reach, 1e-6)).all()


def test_a_press_that_lasts_is_one_move():
    env = environment("connect_four", 1, 1, reset_arm_after_move=False)
    press(env, 2, 3)
    for _ in range(3):
        env.step(STILL)
        env.restore(env.snapshot())
    assert env.state.history == (3, 1)
    assert env.info["illegal_presses"] == 0
    fist_at(env.embedding, env.embedding.scene.spec.centre(2, 3) + (0, 0, 0.1))
    env.step(STILL)
    press(env, 2, 3)
    assert env.state.history == (3, 1, 3, 1)
    press(env, 2, 2)  # another place, without a pause
    assert len(env.state.history) == 5


def test_go_captures_disappear_but_stay_in_the_list():
    #   row 6 of the board as seen: black b1, white a1, black a2 captures
    env = environment("go(board_size=5)", 0, 24)
    press(env, 4, 1)  # b1; white answers a1
    assert shown(env)[-1] == "ox..."
    first = env.embedding._markers.positions[50].copy()
    step = press(env, 3, 0)  # a2 takes a1; white answers e5
    assert env.state.history == (1, 0, 5, 24)
    assert shown(env) == ["....o", ".....", ".....", "x....", ".x..."]
    positions = step.observation["markers/position"]
    np.testing.assert_array_equal(positions[50], first)
    assert positions[51].any()
    assert positions.any(axis=1).sum() == 4


def test_the_plate_passes_and_not_twice_running():
    env = environment("go(board_size=5)", 0, 1, 2)
    step = press_plate(env)
    assert env.state.history == (25, 0)
    assert not step.observation["legal_actions"][25]
    assert shown(env)[-1] == "o...."
    assert step.observation["markers/position"].any(axis=1).sum() == 1  # none for the pass
    step = press_plate(env, side=-1)
    assert env.state.history == (25, 0)
    assert env.info["illegal_presses"] == 1
    step = press(env, 2, 2)
    assert len(env.state.history) == 4
    assert step.observation["legal_actions"][25]
    press_plate(env)
    assert len(env.state.history) == 6


def test_an_opponents_pass_leaves_no_marker_and_two_passes_end_the_game():
    env = environment("go(board_size=5,komi=0.5)", 25, 25)
    step = press(env, 2, 2)
    assert shown(env) == [".....", ".....", "..x..", ".....", "....."]
    assert step.observation["markers/position"].any(axis=1).sum() == 1
    step = press_plate(env)  # the second pass of the game
    assert step.last()
    assert (step.reward, step.discount, env.outcome) == (1, 0, "win")


@pytest.mark.parametrize(
    ("actions", "outcome", "reward"),
    [
        ((3, 1, 2, 0, 4, 2, 3), "loss", 0.0),  # the agent repeats
        ((4, 2, 0, 3, 4, 1, 0, 2), "win", 1.0),  # the opponent does
    ],
)
def test_who_repeats_a_position_of_go_loses(actions, outcome, reward):
    """On two by two points, 4 being a pass; moves are the agent's and the opponent's in turn."""
    env = environment("go(board_size=2,komi=0.5)", *actions[1::2])
    cell_of = {env.embedding.game.action_of_cell(*cell): cell for cell in np.ndindex(2, 2)}
    for action in actions[::2]:
        assert env.outcome is None
        step = press_plate(env) if action == 4 else press(env, *cell_of[action])
    assert env.state.history == actions
    assert rules.superko(env.state)
    assert step.last()
    assert (step.reward, step.discount, env.outcome) == (reward, 0, outcome)


def test_othello_turns_stones_over_and_they_keep_their_place():
    env = environment("othello", 18)
    assert shown(env)[3:5] == ["...ox...", "...xo..."]
    start = env.embedding._markers.positions.copy()
    assert env.state.legal[19]
    press(env, 2, 3)
    assert env.state.history == (19, 18)
    board = shown(env)
    planes = rules.planes(env.state)
    assert planes[..., 2].sum() == 3
    for row, column in np.argwhere(planes[..., 1]).tolist():
        assert board[row][column] == "x"
    for row, column in np.argwhere(planes[..., 2]).tolist():
        assert board[row][column] == "o"
    still = start.any(axis=1)
    np.testing.assert_array_equal(env.embedding._markers.positions[still], start[still])


def must_pass(game):
    """A position in which the first player can do nothing but pass."""
    rng = np.random.default_rng(0)
    while True:
        state = game.initial_state()
        while rules.outcome(state) is None:
            legal = np.flatnonzero(state.legal)
            if state.player == 0 and legal.tolist() == [game.pass_action]:
                return state
            state = rules.apply(state, int(rng.choice(legal)))


def test_pass_is_allowed_again_where_nothing_else_is():
    embedding = embedded("othello")
    embedding._passed = True
    embedding._set_state(must_pass(embedding.game))
    assert np.flatnonzero(embedding.observe()["legal_actions"]).tolist() == [64]
    fist_on_plate(embedding)
    embedding.advance(STILL, np.random.default_rng(0))
    assert embedding.state().history[-1] == 64


@pytest.mark.parametrize("replies", [(), (4,)])
def test_a_failing_opponent_cuts_the_episode_off(replies):
    """It says nothing, or what is illegal."""
    env = environment("tic_tac_toe", *replies)
    assert not env.info["opponent_failed"]
    step = press(env, 1, 1)
    assert step.last()
    assert (step.reward, step.discount, env.outcome) == (0, 1, "unfinished")
    assert env.info["opponent_failed"]
    assert env.state.history == (4,)
    snapshot = env.snapshot()
    assert env.step(STILL).first()
    assert not env.info["opponent_failed"]
    env.restore(snapshot)
    assert env.info["opponent_failed"]


def test_an_opponent_that_fails_to_begin_cuts_the_episode_off():
    """With handicap stones, white plays first."""
    env = environment("go(board_size=19,komi=0.5,handicap=2)")
    assert env.info["opponent_failed"]
    step = env.step(STILL)
    assert step.last()
    assert (step.discount, env.outcome) == (1, "unfinished")
    begun = environment("go(board_size=19,komi=0.5,handicap=2)", 0, 0)  # begun twice
    assert begun.state.history == (0,)
    assert begun.state.player == 0
    assert shown(begun)[-1][0] == "o"
    assert sum(row.count("x") for row in shown(begun)) == 2


def test_closing_closes_the_opponent():
    env = environment("tic_tac_toe")
    opponent = env.embedding.opponent
    assert isinstance(opponent, Scripted)
    env.close()
    assert opponent.closed


def test_at_most_one_move_in_a_control_step():
    """A slide over two cells, both legal."""
    env = environment("tic_tac_toe", 0, reset_arm_after_move=False)
    fist_on(env.embedding, 1, 1)
    env.simulation.data.qvel[0] = 3.0
    env.step(STILL)
    assert len(env.state.history) == 2


def test_without_a_finger_nothing_counts_in_go_but_in_tic_tac_toe_it_does():
    for game, moved in (("tic_tac_toe", True), ("go(board_size=5)", False)):
        env = environment(game, 0)
        env.simulation._fingers = np.zeros_like(env.embedding.scene.fingers)
        press(env, 1, 1)
        assert bool(env.state.history) == moved


def test_a_snapshot_in_the_middle_of_a_game_brings_back_everything():
    env, other = environment("go(board_size=5)", 0, 24, 3), environment("go(board_size=5)", 7, 8)
    press(env, 4, 1)
    press(other, 0, 0)
    snapshot = env.snapshot()
    fist_on(env.embedding, 3, 0)
    state = env.simulation.state()
    expected = env.step(STILL)
    pictures = shown(env), env.simulation.model.site_pos.copy()
    for each in (env, other):
        each.restore(snapshot)
        assert shown(each)[-1] == "ox..."
        each.simulation.restore(state, each.simulation.data.sensordata.copy())
        step = each.step(STILL)
        for key, value in expected.observation.items():
            np.testing.assert_array_equal(step.observation[key], value)
        assert shown(each) == pictures[0]
        markers = each.embedding.scene.markers
        placed = each.simulation.model.site_rgba[markers, 3] > 0
        sites = markers[placed]
        np.testing.assert_array_equal(each.simulation.model.site_pos[sites], pictures[1][sites])


@pytest.mark.parametrize("replies", [(0, 1), (0,)], ids=["over", "cut off"])
def test_the_last_picture_shows_the_last_markers_where_they_lie(replies):
    env = environment("tic_tac_toe", *replies)
    for column in range(len(replies) + 1):
        step = press(env, 2, column)
    assert step.last()
    shown = env.simulation.data.site_xpos.copy()
    env.restore(env.snapshot())
    np.testing.assert_array_equal(shown, env.simulation.data.site_xpos)
    marker = env.embedding.scene.markers[env.embedding.scene.spec.cells.index((2, column))]
    np.testing.assert_array_equal(shown[marker], env.simulation.model.site_pos[marker])
