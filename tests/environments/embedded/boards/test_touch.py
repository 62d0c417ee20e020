"""Recorded, plain and repeated physics are the same physics, bit for bit."""

from typing import Any

import mujoco
import numpy as np
import pytest

from environments.embedded.boards.poses import draw
from environments.embedded.boards.scene import build_scene
from environments.embedded.boards.spec import TIC_TAC_TOE, go_board
from environments.embedded.boards.touch import THRESHOLD, TouchSimulation, pressed_places
from environments.errors import PhysicsError
from tests.environments.embedded.boards.arm import STILL, embedded, fist_at, fist_on

BOARDS = {"tic_tac_toe": TIC_TAC_TOE, "go(board_size=7)": go_board(7)}


def plain(model, state) -> mujoco.MjData:
    """Another world in the same state."""
    data = mujoco.MjData(model)
    mujoco.mj_setState(model, data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
    return data


def assert_same(mine: mujoco.MjData, theirs: mujoco.MjData) -> None:
    for name in ("time", "qpos", "qvel", "qacc", "qacc_warmstart", "qfrc_actuator"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
    for name in ("dist", "pos", "frame", "geom"):
        np.testing.assert_array_equal(getattr(mine.contact, name), getattr(theirs.contact, name))


@pytest.mark.parametrize("name", BOARDS)
def test_control_steps_are_those_of_the_engine(name):
    """Along a trace that is free, touches, and is free again."""
    embedding = embedded(name)
    simulation = embedding.simulation
    fist_at(embedding, embedding.scene.spec.centre(1, 1) + (0, 0, 0.004))
    data = plain(simulation.model, simulation.state())
    touched = []
    controls = np.zeros((16, 9))
    controls[:6, 1] = 0.3  # leans down, then back
    controls[6:, 1] = -0.5
    controls[:, 6:] = 1.0
    for control in controls:
        simulation.advance(control)
        data.ctrl[:] = control
        showed = []
        for _ in range(simulation.substeps):
            mujoco.mj_step(simulation.model, data)
            showed.append(data.sensordata[embedding.scene.touch].copy())
        assert_same(simulation.data, data)
        np.testing.assert_array_equal(
            simulation.data.sensordata[embedding.scene.torques],
            data.sensordata[embedding.scene.torques],
        )
        assert simulation.touched or not np.any(showed)
        if simulation.touched:
            np.testing.assert_array_equal(simulation.pressures, showed)
        touched.append(simulation.touched)
    assert touched[0] is False
    assert True in touched
    assert touched[-1] is False


def test_a_touch_within_a_control_step_is_not_missed():
    """Free at both ends of the control step, and touching in between."""
    embedding = embedded("tic_tac_toe")
    simulation = embedding.simulation
    fist_on(embedding, 1, 1)
    simulation.data.qvel[1], simulation.data.qvel[2] = -1.0, 1.0  # on its way up
    simulation.advance(np.array([0, -0.6, 0, 0, 0, 0, 0, 0, 0]))
    assert simulation.data.ncon == 0
    assert simulation.touched
    assert simulation.pressures[0].max() > THRESHOLD
    assert simulation.pressures[-1].max() == 0
    simulation.advance(STILL)
    simulation.advance(STILL)
    assert not simulation.touched


@pytest.mark.parametrize("substep", [0, 3, 24])
def test_contacts_are_those_of_that_substep(substep):
    embedding = embedded("tic_tac_toe")
    simulation, scene = embedding.simulation, embedding.scene
    fist_on(embedding, 0, 2)
    data = plain(simulation.model, simulation.state())
    simulation.advance(STILL)
    data.ctrl[:] = 0
    mujoco.mj_step(simulation.model, data, substep + 1)
    place = scene.spec.cells.index((0, 2))
    rows = np.flatnonzero((data.contact.geom == scene.places[place]).any(axis=1))
    point = simulation.contact(substep, place, fingers_only=False)
    assert point is not None
    np.testing.assert_array_equal(point, data.contact.pos[rows[0]])
    np.testing.assert_allclose(point, scene.spec.centre(0, 2), atol=0.02)
    assert simulation.contact(substep, 0, fingers_only=False) is None
    after = simulation.state()
    simulation.contact(substep, place, fingers_only=True)
    np.testing.assert_array_equal(simulation.state(), after)


def test_contacts_are_the_same_in_whatever_order_they_are_asked_for():
    embedding = embedded("tic_tac_toe")
    fist_on(embedding, 0, 2)
    simulation: Any = embedding.simulation
    place = embedding.scene.spec.cells.index((0, 2))
    simulation.advance(np.array([0.5, 0, 0, 0, 0, 0, 0, 0, 0]))
    up, down = range(25), range(24, -1, -1)
    rising = {k: simulation.contact(k, place, fingers_only=False) for k in up}
    falling = {k: simulation.contact(k, place, fingers_only=False) for k in down}
    assert len({tuple(point) for point in rising.values() if point is not None}) > 5
    for k in up:
        np.testing.assert_array_equal(rising[k], falling[k])
        np.testing.assert_array_equal(rising[k], simulation.contact(k, place, fingers_only=False))


def test_only_fingers_count_where_they_must():
    """The same contact, once every finger has been declared to be none."""
    embedding = embedded("tic_tac_toe")
    fist_on(embedding, 1, 1)
    embedding.simulation.advance(STILL)
    assert embedding.simulation.contact(0, 4, fingers_only=True) is not None
    embedding.simulation._fingers = np.zeros_like(embedding.scene.fingers)
    assert embedding.simulation.contact(0, 4, fingers_only=True) is None
    assert embedding.simulation.contact(0, 4, fingers_only=False) is not None


def test_random_play_is_that_of_the_engine():
    scene = build_scene(go_board(7))
    simulation = TouchSimulation(scene)
    rng = np.random.default_rng(0)
    low, high = scene.model.actuator_ctrlrange.T
    touched = 0
    for _ in range(6):
        simulation.reset()
        simulation.data.qpos[:] = draw(rng)
        simulation.forward()
        data = plain(simulation.model, simulation.state())
        leaning = np.array([0, 0.6, -0.3, 0, 0, 0, 0, 0, 0])
        for _ in range(30):
            control = np.clip(leaning + 0.3 * rng.uniform(low, high), low, high)
            simulation.advance(control)
            data.ctrl[:] = control
            mujoco.mj_step(simulation.model, data, simulation.substeps)
            assert_same(simulation.data, data)
            touched += simulation.touched
    assert touched > 20


def test_the_place_pressed_hardest_counts():
    pressures = np.zeros((5, 3))
    pressures[1] = 0.5, 0.7, 0.6
    pressures[2] = 0.7, 0.2, 0.7  # the first of equals: a cell before the plate
    pressures[3] = THRESHOLD
    pressures[4] = 0, 0, THRESHOLD * 1.01
    assert pressed_places(pressures).tolist() == [-1, 1, 0, -1, 2]


def test_a_warning_of_the_engine_is_an_error_and_a_reset_mends_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the engine leaves its log
    embedding = embedded("tic_tac_toe")
    simulation = embedding.simulation
    simulation.data.qvel[0] = np.inf
    with pytest.raises(PhysicsError, match="QVEL"):
        simulation.advance(STILL)
    embedding.begin(0, np.random.default_rng(0))
    simulation.advance(STILL)
    assert np.isfinite(simulation.state()).all()
