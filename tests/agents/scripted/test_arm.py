"""The arm's kinematics and plans, and that the script presses what it means to press."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.scripted import make_scripted
from agents.scripted.arm import Account, ArmScript
from agents.scripted.arm_kinematics import CLEARANCE, JOINTS, ArmKinematics
from agents.scripted.arm_plan import DOWN, NOWHERE, STIFF, PressPlanner, press_pose
from agents.scripted.arm_trajectory import curve, joined, timed
from environments.embedded.boards import poses
from environments.embedded.boards.make import make
from environments.embedded.boards.registration import (
    MujogoOptions,
    MujoxoOptions,
    TouchBoardOptions,
)
from environments.embedded.boards.scene import build_scene
from environments.embedded.boards.spec import board_for
from environments.embedded.boards.targets import targets_of
from environments.games.board.game import board_game
from experiments.benchmarks.arm import presses

XO = MujoxoOptions(opponent="random")
GO = MujogoOptions(opponent="random")


@pytest.fixture(scope="module")
def go_arm():
    return ArmKinematics(build_scene(board_for(board_game("go(board_size=7)"))))


angles = st.lists(st.floats(-3, 3), min_size=JOINTS, max_size=JOINTS).map(np.array)
SPEED = np.array([0.6283, 0.6283, 0.6283, 0.8378, 0.8378, 0.8378])


@given(angles, angles, angles, st.booleans(), st.floats(0, 3))
@settings(max_examples=50, deadline=None)
def test_trajectories_keep_to_the_joints_speed(start, middle, end, brakes, least):
    plan = timed(curve(start, middle, end), SPEED, least, brakes)
    assert (np.diff(plan.times) > 0).all()
    assert plan.duration >= least - 1e-9
    speed = np.abs(np.diff(plan.poses, axis=0)) / np.diff(plan.times)[:, None]
    assert (speed <= SPEED + 1e-9).all()
    np.testing.assert_allclose(plan.at(0), start)
    np.testing.assert_allclose(plan.at(plan.duration + 1), end)


def test_trajectories_start_slowly_and_end_slowly_only_if_they_brake():
    path = curve(np.zeros(6), np.ones(6))
    for brakes in (False, True):
        plan = timed(path, SPEED, 0.0, brakes)
        first, last = np.diff(plan.times)[[0, -1]]
        fastest = np.diff(plan.times).min()
        assert first > 2 * fastest
        assert (last > 2 * fastest) == brakes


def test_joined_trajectories_follow_one_another():
    one = timed(curve(np.zeros(6), np.ones(6)), SPEED, 0.0, True)
    two = timed(curve(np.ones(6), np.full(6, 3.0)), SPEED, 0.0, False)
    both = joined([one, two])
    assert both.duration == pytest.approx(one.duration + two.duration)
    np.testing.assert_allclose(both.at(one.duration), np.ones(6))
    np.testing.assert_allclose(both.at(one.duration + 0.5), two.at(0.5))


def test_inverse_kinematics_reaches_the_point_within_the_limits(go_arm):
    rng = np.random.default_rng(0)
    for _ in range(20):
        start = poses.draw(rng)[:JOINTS]
        target = rng.uniform((-0.3, -0.3, 0.05), (0.3, 0.2, 0.3))
        pose, error = go_arm.solve(start, target, DOWN, STIFF)
        assert error < 1e-3
        assert np.linalg.norm(go_arm.fist(pose) - target) == pytest.approx(error, abs=1e-6)
        assert (pose >= go_arm.lowest).all()
        assert (pose <= go_arm.highest).all()


def test_a_point_out_of_reach_leaves_an_error(go_arm):
    start = poses.draw(np.random.default_rng(0))[:JOINTS]
    _, error = go_arm.solve(start, np.array([0.0, -1.5, 0.1]), DOWN, STIFF)
    assert error > 0.3


def test_press_poses_touch_the_cell_and_start_poses_nothing(go_arm):
    game = board_game("go(board_size=7)")
    start = poses.draw(np.random.default_rng(1))
    go_arm.place(start[:JOINTS], start[JOINTS:])
    assert go_arm.touches(NOWHERE, CLEARANCE) == (False, False)
    (target,) = targets_of(24, game, board_for(game))
    pose = press_pose(go_arm, start[:JOINTS], target, (0.0, 0.0), STIFF)
    assert pose is not None
    assert np.abs(go_arm.lowest_point(pose) - target.point).max() < 0.015
    go_arm.place(pose)
    pressed, _ = go_arm.touches(target, 0.0)
    assert pressed
    go_arm.place(pose)
    _, collided = go_arm.touches(replace(target, point=target.point + [0.1, 0, 0]), 0.0)
    assert collided


def test_no_plan_out_of_reach(go_arm):
    start = poses.draw(np.random.default_rng(1))
    game = board_game("go(board_size=7)")
    (target,) = targets_of(24, game, board_for(game))
    far = replace(target, point=np.array([0.0, -2.0, 0.02]))
    assert PressPlanner(go_arm).plan(start[:JOINTS], start[JOINTS:], far) is None


def test_targets_of_a_cell_a_column_and_a_pass():
    go, four = board_game("go(board_size=7)"), board_game("connect_four")
    go_scene, four_scene = (build_scene(board_for(game)) for game in (go, four))
    (first,) = targets_of(0, go, go_scene.spec)  # a1: the bottom row, at the left
    np.testing.assert_allclose(first.point, go_scene.spec.centre(6, 0))
    assert len(targets_of(3, four, four_scene.spec)) == 6
    plates = targets_of(49, go, go_scene.spec)
    assert [np.sign(target.point[0]) for target in plates] == [-1, 1]
    for target in plates:
        inner, outer = np.abs(target.point[0]) + np.array([-1, 1]) * target.reach
        edge = go_scene.spec.extent[1] / 2
        assert edge - 1e-9 < inner < outer < go_scene.spec.plate[0]


def play(environment, script, steps):
    """The rewards and actions of `steps` control steps from a reset."""
    timestep, rewards, actions = environment.reset(), [], []
    for _ in range(steps):
        actions.append(script(timestep))
        timestep = environment.step(actions[-1])
        rewards.append(timestep.reward)
        if timestep.last():
            break
    return rewards, actions


def press_all(options, count, seed=0):
    environment = make(options, seed)
    script = ArmScript(environment)
    pressed = list(presses(environment, script, count))
    right = sum(press.made == press.demanded for press in pressed)
    return right, pressed, script


@pytest.mark.parametrize(
    "options",
    [XO, GO, TouchBoardOptions(opponent="random", game="connect_four")],
    ids=["mujoxo", "mujogo", "connect_four"],
)
def test_presses_make_the_demanded_moves(options):
    right, pressed, script = press_all(options, 9)
    assert right == 9
    assert sum(press.illegal for press in pressed) == 0
    assert max(press.seconds for press in pressed) < 4
    assert script.account == Account()


def test_passes_in_go():
    environment = make(GO, seed=3)
    script = make_scripted(environment)
    assert isinstance(script, ArmScript)
    script.demand(49)
    timestep = environment.reset()
    while not environment.state.history and environment.simulation.data.time < 5:
        timestep = environment.step(script(timestep))
    assert environment.state.history[0] == 49


def test_a_game_against_the_optimal_opponent_is_a_draw():
    environment = make(MujoxoOptions(opponent="optimal"), seed=0)
    rewards, actions = play(environment, make_scripted(environment), 600)
    assert environment.outcome == "draw"
    assert rewards[-1] == 0.5
    assert len(actions) * 0.05 < 15
    assert all(action.dtype == np.float32 for action in actions)


def test_two_scripts_do_the_same():
    runs = []
    for _ in range(2):
        environment = make(XO, seed=5)
        runs.append(play(environment, make_scripted(environment), 60)[1])
    np.testing.assert_array_equal(*runs)


def test_begins_anew_after_a_reset_in_the_middle_of_a_press():
    environment = make(XO, seed=1)
    script = ArmScript(environment)
    play(environment, script, 12)
    script.demand(8)
    timestep = environment.reset()
    while not environment.state.history and environment.simulation.data.time < 5:
        timestep = environment.step(script(timestep))
    assert environment.state.history[0] == 8


def test_plans_anew_when_the_arm_is_knocked_aside():
    environment = make(XO, seed=1)
    script = ArmScript(environment)
    script.demand(0)
    timestep = environment.reset()
    for step in range(200):
        if step == 12:
            environment.simulation.data.qpos[0] += 0.7
            environment.simulation.forward()
        timestep = environment.step(script(timestep))
        if environment.state.history:
            break
    assert environment.state.history[0] == 0
    assert script.account == Account(missed=1)


def test_the_arm_goes_on_from_where_it_is_if_it_is_not_reset():
    right, pressed, _ = press_all(replace(XO, reset_arm_after_move=False), 9)
    assert right == 9
    assert sum(press.illegal for press in pressed) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "count", "least"),
    [
        (XO, 90, 0.98),
        (GO, 100, 0.95),
        (MujogoOptions(opponent="random", size=9), 60, 0.95),
        (TouchBoardOptions(opponent="random", game="hex(board_size=5)"), 50, 0.95),
        (TouchBoardOptions(opponent="random", game="connect_four"), 50, 0.95),
        (TouchBoardOptions(opponent="random", game="othello"), 60, 0.95),
    ],
    ids=["mujoxo", "mujogo", "mujogo9", "hex", "connect_four", "othello"],
)
def test_nearly_all_presses_make_the_demanded_moves(options, count, least):
    right, pressed, _ = press_all(options, count, seed=7)
    assert right >= least * count
    assert np.mean([press.seconds for press in pressed]) < 2.5


@pytest.mark.slow
def test_never_loses_to_the_optimal_opponent():
    environment = make(MujoxoOptions(opponent="optimal"), seed=0)
    script = make_scripted(environment)
    for _ in range(20):
        play(environment, script, 600)
        assert environment.outcome == "draw"
