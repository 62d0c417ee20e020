import mujoco
import numpy as np
import pytest

from environments.embedded.boards import poses
from environments.embedded.boards.scene import JOINTS, build_scene
from environments.embedded.boards.spec import TIC_TAC_TOE, fitted, go_board

LIMIT_MARGIN = 0.5  # rad


def test_the_table_is_what_its_script_computes():
    computed = poses.compute(count=8)
    np.testing.assert_allclose(poses.table()[:8], computed, atol=1e-5)


@pytest.mark.parametrize("spec", [TIC_TAC_TOE, go_board(7), fitted(20, 20, pass_plate=True)])
def test_starts_are_over_the_board_and_touch_nothing(spec):
    scene = build_scene(spec)
    model, data = scene.model, mujoco.MjData(scene.model)
    rng, tools, yaws = np.random.default_rng(0), [], []
    for _ in range(300):
        data.qpos[:] = poses.draw(rng)
        mujoco.mj_forward(model, data)
        assert data.ncon == 0
        frame = data.site_xmat[scene.grip_site].reshape(3, 3)
        np.testing.assert_allclose(frame[:, 2], (0, 0, -1), atol=1e-4)
        tools.append(data.site_xpos[scene.grip_site].copy())
        yaws.append(np.arctan2(frame[1, 0], frame[0, 0]))
    low, high = np.min(tools, axis=0), np.max(tools, axis=0)
    assert (low >= poses.BOX[0] - 1e-4).all()
    assert (high <= poses.BOX[1] + 1e-4).all()
    span = poses.BOX[1] - poses.BOX[0]
    np.testing.assert_allclose(np.mean(tools, axis=0), poses.BOX.mean(axis=0), atol=0.1 * 0.2)
    np.testing.assert_allclose(np.var(tools, axis=0), span**2 / 12, rtol=0.25)
    assert np.hypot(np.mean(np.cos(yaws)), np.mean(np.sin(yaws))) < 0.15  # all around


def test_every_pose_is_clear_and_far_from_limits():
    scene = build_scene(go_board(7))
    data = mujoco.MjData(scene.model)
    table = poses.table()
    assert table.shape == (1024, 5)
    for pose in table[::32]:
        assert poses.is_clear(scene, data, pose)
    for name in ("2", "3"):
        joint = scene.model.joint(f"jaco_arm/joint_{name}")
        angles = table[:, JOINTS.index(joint.name)]
        assert angles.min() - joint.range[0] > LIMIT_MARGIN
        assert joint.range[1] - angles.max() > LIMIT_MARGIN
    finger = scene.model.joint("jaco_arm/jaco_hand/finger_1").range
    assert finger[0] < poses.FINGERS_OPEN < finger[1]


def test_a_pose_in_the_board_is_not_clear():
    scene = build_scene(go_board(7))
    data = mujoco.MjData(scene.model)
    low = poses.solve(scene, data, np.array([0, 0, 0.08]))
    assert low is not None
    assert not poses.is_clear(scene, data, low)


def test_out_of_reach_has_no_pose():
    scene = build_scene(go_board(7))
    assert poses.solve(scene, mujoco.MjData(scene.model), np.array([0, -1.5, 0.3])) is None
