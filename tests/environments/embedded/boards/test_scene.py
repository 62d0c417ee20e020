from concurrent.futures import ThreadPoolExecutor

import mujoco
import numpy as np
import pytest

from environments.embedded.boards.scene import HAND, JOINTS, build_scene
from environments.embedded.boards.spec import TIC_TAC_TOE, BoardSpec, go_board


def test_a_board_is_compiled_once_and_every_world_has_its_own():
    scene = build_scene(go_board(5))
    with ThreadPoolExecutor(4) as pool:
        assert len(set(map(id, pool.map(build_scene, [go_board(4)] * 4)))) == 1
    assert build_scene(go_board(5)) is scene
    mine, other = scene.new_model(), scene.new_model()
    mine.site_rgba[scene.markers] = 1
    assert not other.site_rgba[scene.markers].any()
    assert not scene.model.site_rgba[scene.markers].any()


def test_constants_of_the_public_environments():
    model = build_scene(TIC_TAC_TOE).model
    option = model.opt
    assert (option.timestep, option.noslip_iterations) == (0.002, 5)
    assert option.cone == mujoco.mjtCone.mjCONE_ELLIPTIC
    assert option.solver == mujoco.mjtSolver.mjSOL_NEWTON
    assert build_scene(TIC_TAC_TOE).substeps == 25
    assert (model.nq, model.nv, model.nu) == (9, 9, 9)
    ground = model.geom("ground")
    np.testing.assert_allclose(ground.friction[0], 0.4)
    np.testing.assert_allclose(ground.solref[0], 0.002)
    np.testing.assert_allclose(ground.solimp[:3], (0.95, 0.99, 0.001))
    np.testing.assert_allclose(model.body("jaco_arm/").pos, (0, 0.4, 0))
    for name, position in (
        ("front", (0, -0.6, 0.75)),
        ("front_2", (0, -0.65, 0.85)),
        ("top_down", (0, 0, 0.5)),
    ):
        np.testing.assert_allclose(model.camera(name).pos, position)
        assert model.camera(name).fovy == 45


def test_the_arm_is_the_public_one():
    model = build_scene(TIC_TAC_TOE).model
    names = (*JOINTS, *(f"{HAND}/finger_{i}" for i in (1, 2, 3)))
    assert [model.joint(i).name for i in range(model.njnt)] == list(names)
    assert [model.actuator(i).name for i in range(model.nu)] == list(names)
    velocity = np.repeat([0.6283, 0.8378, 5.0], 3)
    np.testing.assert_allclose(model.actuator_ctrlrange[:, 1], velocity, atol=1e-4)
    np.testing.assert_allclose(model.actuator_gainprm[:, 0], np.repeat([500, 500, 10], 3))
    np.testing.assert_allclose(model.actuator_forcerange[:, 1], np.repeat([30.5, 6.8, 1], 3))
    np.testing.assert_allclose(model.dof_armature, np.repeat([4, 2, 0.1], 3))
    np.testing.assert_allclose(model.dof_frictionloss, np.repeat([2, 1, 0.1], 3))


def test_things_are_found_by_name_in_whatever_order():
    scene = build_scene(go_board(7))
    model = scene.model
    for i, (row, column) in enumerate(scene.spec.cells):
        touch = model.sensor(f"cell_{row}_{column}")
        assert touch.adr[0] == scene.touch[i]
        assert touch.type[0] == mujoco.mjtSensor.mjSENS_TOUCH
        site = int(touch.objid[0])
        np.testing.assert_allclose(model.site_pos[site], scene.spec.centre(row, column))
        np.testing.assert_allclose(model.site_size[site], (0.035, 0.035, 0.005))
        tile = scene.places[i]
        np.testing.assert_allclose(model.geom_pos[tile, :2], scene.spec.centre(row, column)[:2])
        np.testing.assert_allclose(model.geom_size[tile], (0.05, 0.05, 0.01))
        np.testing.assert_allclose(model.site_pos[scene.markers[i]], scene.spec.centre(row, column))
    assert model.geom(scene.places[-1]).name == "pass"
    np.testing.assert_allclose(model.geom_size[scene.places[-1]], (0.7, 0.35, 0.005))
    np.testing.assert_allclose(model.geom_pos[scene.places[-1]], (0, -0.08, 0))
    assert scene.fingers.sum() == 6
    assert (scene.robot & scene.fingers).sum() == 6


@pytest.mark.parametrize("absent", [frozenset(), frozenset({(0, 0), (1, 1)})])
def test_absent_cells_have_no_tile(absent):
    scene = build_scene(BoardSpec(2, 2, absent=absent))
    names = [scene.model.geom(i).name for i in range(scene.model.ngeom)]
    tiles = {name for name in names if name.startswith("cell_")}
    assert tiles == {f"cell_{r}_{c}" for r in (0, 1) for c in (0, 1) if (r, c) not in absent}
    assert len(scene.touch) == len(scene.markers) == 4 - len(absent)


def test_the_slab_under_the_lines_collides_with_nothing():
    model = build_scene(go_board(7)).model
    assert model.geom("slab").contype == model.geom("slab").conaffinity == 0
