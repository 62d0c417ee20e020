"""The scene's constants, which are those of the public environment, and how it is compiled."""

import copy
import threading

import mujoco
import numpy as np
import pytest

from environments.embedded.mujoban import scene
from environments.embedded.mujoban.levels import BALL_RADIUS
from environments.embedded.mujoban.scene import Layout

LAYOUT = Layout((10, 10), boxes=4, walls=12)


@pytest.fixture(scope="module")
def model():
    return scene.compiled(LAYOUT)


def test_solver(model):
    option = model.opt
    assert option.timestep == 0.001
    assert option.integrator == mujoco.mjtIntegrator.mjINT_EULER
    assert option.solver == mujoco.mjtSolver.mjSOL_NEWTON
    assert option.cone == mujoco.mjtCone.mjCONE_ELLIPTIC
    assert (option.iterations, option.tolerance) == (100, 1e-8)
    assert (option.impratio, option.noslip_iterations) == (1, 5)
    np.testing.assert_array_equal(option.gravity, [0, 0, -9.81])
    assert option.disableflags == mujoco.mjtDisableBit.mjDSBL_MIDPHASE


def test_sizes(model):
    assert (model.nq, model.nv, model.nu) == (18, 18, 3)
    assert [model.actuator(i).name for i in range(3)] == [
        "walker/roll", "walker/steer", "walker/kick",
    ]  # fmt: skip
    np.testing.assert_array_equal(model.actuator_gear[:, 0], [-50, 30, 1000])
    np.testing.assert_array_equal(model.actuator_ctrlrange, [[-1, 1]] * 3)
    assert model.nbuffer < 300_000  # a model is copied for each world


def test_walker(model):
    bodies = ("walker/head_body", "walker/egocentric_camera", "walker/torso")
    assert [model.body(name).mass[0] for name in bodies] == [20, 1, 1]
    ball = model.geom("walker/shell")
    assert ball.size[0] == BALL_RADIUS == 0.2
    np.testing.assert_array_equal(ball.friction, [0.5, 0.02, 0.02])
    assert ball.condim[0] == 4
    dampings = {"steer": 4, "kick": 100, "roll": 2, "root_x/": 0, "root_z/": 0}
    for name, damping in dampings.items():
        assert model.joint(f"walker/{name}").damping[0] == damping
    np.testing.assert_array_equal(model.joint("walker/kick").range, [0, 0.4])
    eye = model.camera("walker/egocentric")
    assert eye.fovy[0] == 80
    np.testing.assert_allclose(model.body("walker/egocentric_camera").pos, [0, 0.15, 0.25])


def test_boxes(model):
    for i in range(4):
        body, box = model.body(f"box{i}"), model.geom(f"box{i}")
        assert body.mass[0] == 2.5
        joints = range(body.jntadr[0], body.jntadr[0] + body.jntnum[0])
        assert [model.jnt_type[j] for j in joints] == [mujoco.mjtJoint.mjJNT_SLIDE] * 3
        np.testing.assert_array_equal(box.size, [0.4, 0.4, 0.15])
        np.testing.assert_array_equal(box.friction, [1, 0.005, 0.0001])
        ground = model.geom("ground").id
        assert {model.pair_geom1[i], model.pair_geom2[i]} == {box.id, ground}
        assert model.pair_dim[i] == 6
        np.testing.assert_array_equal(model.pair_friction[i], [0.5, 0.5, 0.005, 0.0001, 0.0001])


def test_walls_and_pads(model):
    wall, pad = model.geom("wall0"), model.site("pad0")
    np.testing.assert_array_equal(wall.friction, [1, 0.005, 0.0001])
    np.testing.assert_array_equal(pad.size[:2], [0.5, 0.5])
    assert model.geom_bodyid[wall.id] == model.site_bodyid[pad.id] == 0


@pytest.mark.parametrize(("shape", "fovy"), [((10, 10), 6.30), ((5, 12), 7.554)])
def test_the_camera_above_sees_the_whole_board(shape, fovy):
    camera = scene.compiled(Layout(shape, 1, 4)).camera("top_camera")
    np.testing.assert_array_equal(camera.pos, [0, 0, 100])
    assert camera.fovy[0] == pytest.approx(fovy, abs=0.005)


def test_threads_compile_once():
    layout, found = Layout((6, 7), 2, 4), []
    threads = [
        threading.Thread(target=lambda: found.append(scene.compiled(layout))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_a_copy_is_apart(model):
    mine = copy.copy(model)
    mine.geom_pos[:] = 7
    assert not (model.geom_pos == 7).any()
