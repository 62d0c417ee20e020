"""Control steps of the engine: what is up to date after them, warnings, states."""

import copy

import mujoco
import numpy as np
import pytest

from environments.embedded.simulation import Simulation
from environments.errors import PhysicsError

CART = """
<mujoco>
  <option timestep="0.002"/>
  <worldbody>
    <geom type="plane" size="5 5 1"/>
    <body name="cart" pos="0 0 0.2">
      <joint name="x" type="slide" axis="1 0 0"/>
      <joint name="z" type="slide" axis="0 0 1"/>
      <geom type="sphere" size="0.1" mass="1"/>
      <site name="site"/>
      <camera name="eye"/>
    </body>
  </worldbody>
  <actuator><motor joint="x" ctrlrange="-5 5"/></actuator>
  <sensor>
    <framepos objtype="site" objname="site"/>
    <velocimeter site="site"/>
    <accelerometer site="site"/>
  </sensor>
</mujoco>
"""


def make() -> Simulation:
    simulation = Simulation(mujoco.MjModel.from_xml_string(CART), substeps=5)
    simulation.reset()
    simulation.forward()
    return simulation


def play(simulation: Simulation, seed: int = 0, steps: int = 30) -> list[np.ndarray]:
    rng, data = np.random.default_rng(seed), simulation.data
    shown = []
    for _ in range(steps):
        simulation.advance(rng.uniform(-5, 5, 1))
        shown.append(np.concatenate([data.qpos, data.qvel, data.sensordata, data.cam_xpos[0]]))
    return shown


def test_a_control_step_is_that_many_engine_steps():
    simulation = make()
    plain = copy.copy(simulation.data)
    assert simulation.control_step == pytest.approx(0.01)
    simulation.advance(np.array([3.0]))
    plain.ctrl[:] = 3
    for _ in range(5):
        mujoco.mj_step(simulation.model, plain)
    np.testing.assert_array_equal(simulation.data.qpos, plain.qpos)
    np.testing.assert_array_equal(simulation.data.qvel, plain.qvel)


def test_poses_and_sensors_are_those_of_the_present():
    simulation = make()
    rng = np.random.default_rng(0)
    for _ in range(20):
        simulation.advance(rng.uniform(-5, 5, 1))
        expected = copy.copy(simulation.data)
        mujoco.mj_step1(simulation.model, expected)
        for name in ("xpos", "site_xpos", "cam_xpos", "geom_xpos", "sensordata", "cvel"):
            np.testing.assert_array_equal(getattr(simulation.data, name), getattr(expected, name))


def test_a_state_restores_bit_for_bit_also_elsewhere():
    simulation = make()
    play(simulation, seed=1)
    state, sensors = simulation.state(), simulation.data.sensordata.copy()
    expected = play(simulation)
    for world in (simulation, make()):
        world.restore(state, sensors)
        np.testing.assert_array_equal(world.state(), state)
        np.testing.assert_array_equal(world.data.sensordata, sensors)
        np.testing.assert_array_equal(play(world), expected)


def test_a_state_of_another_size_is_refused():
    simulation = make()
    with pytest.raises(ValueError, match="a state has"):
        simulation.restore(np.zeros(3), np.zeros(9))


@pytest.mark.parametrize(
    ("field", "name"), [("qpos", "BADQPOS"), ("qvel", "BADQVEL"), ("qfrc_applied", "BADQACC")]
)
def test_warnings_are_errors_until_the_next_reset(field, name):
    simulation = make()
    good = simulation.state(), simulation.data.sensordata.copy()
    getattr(simulation.data, field)[0] = np.nan
    for _ in range(2):
        with pytest.raises(PhysicsError, match=name):
            simulation.advance(np.zeros(1))
    simulation.reset()
    simulation.forward()
    simulation.advance(np.zeros(1))
    getattr(simulation.data, field)[0] = np.nan
    with pytest.raises(PhysicsError, match=name):
        simulation.advance(np.zeros(1))
    simulation.restore(*good)
    simulation.advance(np.zeros(1))


def test_warnings_leave_no_file_where_the_user_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    simulation = make()
    simulation.data.qpos[0] = np.nan
    with pytest.raises(PhysicsError):
        simulation.advance(np.zeros(1))
    assert not list(tmp_path.iterdir())
