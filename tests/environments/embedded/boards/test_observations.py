"""What is observed has the public environments' values, read by dm_control's own entities."""

import mujoco
import numpy as np
import pytest
from dm_control import composer, mjcf
from dm_control.entities.manipulators import kinova

from environments.embedded.boards.scene import ARM_POSITION
from environments.games.board import rules
from environments.games.board.game import board_game
from tests.environments.embedded.boards.arm import embedded

# dm_control's named indices, under the NumPy of Python 3.12.
pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy:DeprecationWarning")


@pytest.fixture(scope="module")
def public():
    """The public entities, attached as in the public environments, and their physics."""
    arena, arm, hand = composer.Arena(), kinova.JacoArm(), kinova.JacoHand()
    arm.attach(hand)
    arena.attach(arm).pos = ARM_POSITION
    arm.observables.enable_all()
    hand.observables.enable_all()
    physics = mjcf.Physics.from_mjcf_model(arena.mjcf_model)
    readers = {**arm.observables.as_dict(), **hand.observables.as_dict()}
    return physics, readers, (arena, arm, hand)  # which must live on


def test_values_are_those_of_the_public_observables(public):
    physics, readers, _ = public
    embedding = embedded("tic_tac_toe")
    data, rng = embedding.simulation.data, np.random.default_rng(0)
    for _ in range(20):
        data.qpos[:] = rng.uniform((0, 2, 1, 0, 0, 0, 0.2, 0.2, 0.2), (6, 4, 3, 6, 6, 6, 1, 1, 1))
        data.qvel[:] = rng.uniform(-0.5, 0.5, 9)
        data.ctrl[:] = rng.uniform(*embedding.scene.model.actuator_ctrlrange.T)
        embedding.simulation.forward()
        if data.ncon:
            continue
        physics.data.qpos[:], physics.data.qvel[:] = data.qpos, data.qvel
        physics.data.ctrl[:] = data.ctrl
        physics.data.qacc_warmstart[:] = data.qacc_warmstart
        physics.forward()
        shown = embedding.observe()
        for name, reader in readers.items():
            value = np.asarray(reader(physics))
            if name.endswith("torque"):
                value = np.sign(value) * np.log1p(np.abs(value))
            assert shown[name].dtype == np.float32
            assert shown[name].shape == value.shape
            np.testing.assert_allclose(shown[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    assert set(readers) < set(shown)
    np.testing.assert_allclose(np.abs(shown["jaco_arm/joints_torque"]).max() > 0, True)


def test_velocities_and_torques_after_a_control_step(public):
    physics, readers, _ = public
    embedding = embedded("tic_tac_toe")
    simulation = embedding.simulation
    physics.data.qpos[:], physics.data.qvel[:] = simulation.data.qpos, 0
    physics.data.qacc_warmstart[:] = simulation.data.qacc_warmstart
    control = np.array([0.5, -0.3, 0.2, 0.7, -0.7, 0.4, 2, 2, 2])
    simulation.advance(control)
    physics.data.ctrl[:] = control
    mujoco.mj_step(physics.model.ptr, physics.data.ptr, simulation.substeps)
    mujoco.mj_kinematics(physics.model.ptr, physics.data.ptr)
    shown = embedding.observe()
    for name, reader in readers.items():
        value = np.asarray(reader(physics))
        if name.endswith("torque"):
            value = np.sign(value) * np.log1p(np.abs(value))
        np.testing.assert_allclose(shown[name], value, rtol=1e-3, atol=1e-4, err_msg=name)
    assert np.abs(shown["jaco_arm/joints_vel"]).max() > 0.3


@pytest.mark.parametrize("name", ["tic_tac_toe", "go(board_size=7)"])
def test_the_public_board(name):
    """Row 0 is the bottom row, whatever has been played; Go also says who is to play."""
    embedding = embedded(name, public_names=True)
    game = board_game(name)
    corner = game.action_of_cell(game.shape[0] - 1, 0)  # near the camera, on the left
    assert corner is not None
    embedding._set_state(rules.apply(game.initial_state(), corner))
    shown = embedding.observe()
    board = shown["board_state"]
    go = name.startswith("go")
    assert board.shape == (*game.shape, 4 if go else 3)
    assert board.dtype == bool
    assert board[0, 0, 1]
    assert board[..., 1].sum() == 1
    assert board[..., 0].sum() == board[..., 0].size - 1
    if go:
        assert board[..., 3].all()
        history = shown["move_history"]
        assert (history.shape, history.dtype) == ((98,), np.int32)
        assert history.tolist() == [0] + [-1] * 97
    else:
        assert "move_history" not in shown
    assert "board_state" not in embedded(name).observe()


def test_shapes_of_go():
    shown = embedded("go(board_size=7)").observe()
    assert shown["markers/position"].shape == (196, 3)
    assert shown["planes"].shape == (7, 7, 3)
    assert shown["legal_actions"].shape == (50,)
    assert shown["legal_actions"].all()
    assert not shown["markers/position"].any()
