"""Any embedding as an environment: seeds apart from levels, physics that fails, pictures, ends."""

from typing import Any

import mujoco
import numpy as np
import pytest

from environments import registry
from environments.embedded.environment import EmbeddedEnvironment
from environments.embedded.simulation import Simulation
from environments.errors import PhysicsError, UserError
from tests.environments.cases import MUJOBAN_LEVELS
from tests.environments.pendulum import XML, Pendulum

load: Any = registry.load
IDLE = np.zeros(3, np.float32)


def make(**options) -> Any:
    return load("mujoban", levels=str(MUJOBAN_LEVELS), **{"control_step": 0.01, **options})


def test_an_actuator_without_bounds_is_refused_when_the_environment_is_built():
    class Unbounded(Pendulum):
        def __init__(self):
            super().__init__()
            xml = XML.replace('<motor joint="hinge" gear="4" ctrlrange="-1 1"/>',
                              '<motor name="push" joint="hinge" gear="4"/>')  # fmt: skip
            self.simulation = Simulation(mujoco.MjModel.from_xml_string(xml), substeps=4)

    with pytest.raises(UserError, match=r"the actuator push has no bounds.*ctrlrange"):
        EmbeddedEnvironment(Unbounded(), time_limit=1.0)


def test_a_step_before_any_reset_is_one():
    assert make().step(IDLE).first()


def test_levels_can_be_chosen():
    environment = make()
    for level in (1, 0, 1):
        assert environment.reset_to(level).first()
        assert environment.level_index == level
    for level in (2, -1):
        with pytest.raises(IndexError, match=f"no level {level}: there are 2"):
            environment.reset_to(level)
    assert environment.level_index == 1


def test_levels_are_drawn_uniformly():
    environment = make()
    drawn = [environment.reset() and environment.level_index for _ in range(200)]
    assert 70 < sum(drawn) < 130


def test_physics_that_fails_ends_in_an_error_and_the_next_step_is_a_reset():
    environment = make()
    environment.reset_to(0)
    environment.simulation.data.qvel[0] = np.nan
    with pytest.raises(PhysicsError, match="BADQVEL"):
        environment.step(IDLE)
    assert environment.step(IDLE).first()
    assert environment.step(IDLE).mid()


def test_a_refused_action_is_no_failure():
    environment = make()
    environment.reset_to(0)
    with pytest.raises(ValueError, match="action"):
        environment.step(2 * np.ones(3))
    assert environment.step(IDLE).mid()


def test_pictures_of_every_camera_at_any_time():
    environment = make()
    for camera in ("top_camera", "walker/egocentric", "overview"):
        for handsome in (False, True):
            picture = environment.render(camera, 20, 30, handsome=handsome)
            assert picture.shape == (20, 30, 3)
            assert picture.std() > 5
    environment.close()
    environment.close()
    with pytest.raises(RuntimeError, match="closed"):  # not a context that nobody would free
        environment.render("top_camera", 20, 30)


def test_pictures_change_nothing():
    environments = make(), make(top_camera=(8, 8))
    for environment in environments:
        environment.reset()
    rng = np.random.default_rng(0)
    for _ in range(20):
        action = rng.uniform(-1, 1, 3)
        for environment in environments:
            environment.step(action)
    plain, seen = (environment.simulation.state() for environment in environments)
    np.testing.assert_array_equal(plain, seen)


def test_the_view_follows_the_walker_within_the_step():
    environment = make(egocentric_camera=(24, 24))
    environment.reset_to(0)
    shown = [environment.step(np.array([0, 1, 0])).observation for _ in range(30)][-1]
    environment.simulation.forward()
    again = environment.render("walker/egocentric", 24, 24)
    np.testing.assert_array_equal(shown["walker/egocentric_camera"], again)


def test_spec_in_short():
    environment = make(time_limit=1.0)
    spec = environment.spec
    assert spec.outcomes == ("solved", "unsolved")
    assert spec.observation == environment.observation_spec()
    assert spec.action == environment.action_spec()
    assert environment.num_levels == 2
    assert environment.outcome is None


def test_a_reset_that_fails_is_tried_again(monkeypatch):
    environment = make()
    environment.reset_to(0)
    begin = environment.embedding.begin

    def broken(*_):
        raise PhysicsError("boom")

    monkeypatch.setattr(environment.embedding, "begin", broken)
    with pytest.raises(PhysicsError):
        environment.reset()
    monkeypatch.setattr(environment.embedding, "begin", begin)
    assert environment.step(IDLE).first()
