"""What MuJoBan shows: the walker's senses against dm_control's own, boards, positions, cameras."""

from typing import Any

import numpy as np
import pytest
from dm_control import composer
from dm_control.locomotion.walkers import JumpingBallWithHead

from environments import registry
from environments.errors import UserError
from environments.games.sokoban import observations as symbolic
from tests.environments.embedded.mujoban.rooms import HALL, write_levels

load: Any = registry.load
PROPRIOCEPTION = {
    "walker/body_height": (),
    "walker/end_effectors_pos": (3,),
    "walker/joints_pos": (1,),
    "walker/joints_vel": (1,),
    "walker/orientation": (9,),
    "walker/world_zaxis": (3,),
    "walker/sensors_velocimeter": (3,),
    "walker/sensors_gyro": (3,),
    "walker/sensors_accelerometer": (3,),
}


class Roll(composer.Task):
    """The walker alone on a plain, as a composer task."""

    def __init__(self, position, yaw: float):
        self._arena = composer.Arena()
        root: Any = self._arena.mjcf_model
        root.worldbody.add("geom", type="plane", size=[9, 9, 1])
        self._walker = JumpingBallWithHead(add_ears=True, camera_height=0.25)
        self._walker.create_root_joints(self._arena.attach(self._walker))
        self._start = [*position, 0.0], [np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]
        shown: Any = self._walker.observables
        for each in (
            *shown.proprioception, *shown.kinematic_sensors, shown.orientation, shown.position,
            shown.sensors_touch,
        ):  # fmt: skip
            each.enabled = True
        self.set_timesteps(control_timestep=0.025, physics_timestep=0.001)

    @property
    def root_entity(self):
        return self._arena

    def initialize_episode(self, physics, random_state):
        self._walker.set_pose(physics, *self._start)

    def get_reward(self, physics):
        return 0.0


def test_the_walkers_senses_are_those_of_dm_control(tmp_path):
    ours = load(
        "mujoban", levels=write_levels(tmp_path, HALL), control_step=0.025, seed=1,
        observations=("proprioception", "position"),
    )  # fmt: skip
    step = ours.reset()
    qpos = ours.simulation.data.qpos
    theirs = composer.Environment(
        Roll(qpos[:2], qpos[3]), strip_singleton_obs_buffer_dim=True, random_state=0
    )
    expected = theirs.reset()
    rng = np.random.default_rng(0)
    for _ in range(60):
        senses = dict(expected.observation)
        assert senses.pop("walker/sensors_touch").shape == (0,)
        assert set(senses) == set(step.observation) - {"boxes/position", "boxes/egocentric"}
        for key, value in senses.items():
            assert step.observation[key].shape == np.shape(value)
            np.testing.assert_allclose(step.observation[key], value, rtol=2e-5, atol=2e-5)
        action = rng.uniform(-1, 1, 3)
        step, expected = ours.step(action), theirs.step(action)
    assert qpos[2] > 0.01  # it has jumped


def test_keys_and_shapes(tmp_path):
    environment = load("mujoban", levels=write_levels(tmp_path, HALL))
    observation = environment.reset().observation
    assert {key: value.shape for key, value in observation.items() if key != "planes"} == (
        PROPRIOCEPTION
    )
    assert all(observation[key].dtype == np.float32 for key in PROPRIOCEPTION)
    spec = environment.action_spec()
    assert (spec.shape, spec.dtype) == ((3,), np.float32)
    assert (spec.minimum == -1).all()
    assert (spec.maximum == 1).all()


def test_boards_are_those_of_sokoban(tmp_path):
    environment = load(
        "mujoban", levels=write_levels(tmp_path, HALL), observations=("planes", "pixels"),
        public_names=True,
    )  # fmt: skip
    observation = environment.reset().observation
    assert set(observation) == {"planes", "pixels", "full_entity_layer", "pixel_layer"}
    np.testing.assert_array_equal(observation["planes"], environment.planes())
    np.testing.assert_array_equal(observation["pixels"], symbolic.pixels(environment.planes()))
    np.testing.assert_array_equal(observation["full_entity_layer"], observation["planes"])
    np.testing.assert_array_equal(observation["pixel_layer"], observation["pixels"])


def test_positions_are_in_metres_and_lacking_boxes_at_zero(tmp_path):
    two = ["#####", "#@$.#", "#  .#", "# $ #", "#####"]
    one = ["#####", "#@$.#", "#####", "#####", "#####"]
    levels = write_levels(tmp_path, two, one)
    environment = load("mujoban", levels=levels, observations=("position",))
    first = environment.reset_to(0).observation
    np.testing.assert_allclose(first["walker/position"], [-1, 1, 0.6], atol=1e-6)
    np.testing.assert_allclose(first["boxes/position"], [[0, 1, 0.15], [0, -1, 0.15]], atol=1e-6)
    head, axes = environment.embedding.body()
    assert abs(axes[0, 0]) < 0.999  # it faces somewhere else than along the board
    back = head + first["boxes/egocentric"] @ axes.T
    np.testing.assert_allclose(back, first["boxes/position"], atol=1e-6)
    second = environment.reset_to(1).observation
    np.testing.assert_allclose(second["boxes/position"], [[0, 1, 0.15], [0, 0, 0]], atol=1e-6)
    assert second["boxes/egocentric"][0].any()
    assert not second["boxes/egocentric"][1].any()


@pytest.mark.parametrize("size", [(16, 24), (40, 30)])
def test_cameras_on_request(tmp_path, size):
    environment = load(
        "mujoban", levels=write_levels(tmp_path, HALL), top_camera=size,
        egocentric_camera=(12, 12),
    )  # fmt: skip
    observation = environment.reset().observation
    assert observation["top_camera"].shape == (*size, 3)
    assert observation["walker/egocentric_camera"].shape == (12, 12, 3)
    assert set(observation) == {
        *PROPRIOCEPTION, "planes", "top_camera", "walker/egocentric_camera",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"top_camera": (16, 16)}, "top_camera"),
        ({"egocentric_camera": (16, 16)}, "walker/egocentric_camera"),
    ],
)
def test_cameras_alone(tmp_path, options, key):
    environment = load(
        "mujoban", levels=write_levels(tmp_path, HALL), observations=(), **options
    )  # fmt: skip
    first = environment.reset()
    later = [environment.step(np.array([1, 0, 0], np.float32)) for _ in range(20)][-1]
    assert set(first.observation) == set(environment.observation_spec()) == {key}
    assert (first.observation[key] != later.observation[key]).any()


def test_something_must_be_shown(tmp_path):
    with pytest.raises(UserError, match="pixels, position, unless there is a camera"):
        load("mujoban", levels=write_levels(tmp_path, HALL), observations=())


def test_the_view_from_above_fits_the_board(tmp_path):
    environment = load("mujoban", levels=write_levels(tmp_path, HALL), top_camera=(88, 88))
    picture = environment.reset().observation["top_camera"].astype(int)
    planes = environment.planes()
    cells = picture[4:84, 4:84].reshape(10, 8, 10, 8, 3)[:, 4, :, 4]
    wall, target, _, box = (planes[..., i] for i in range(4))
    red, green, blue = (cells[..., i] for i in range(3))
    np.testing.assert_array_equal((red > 150) & (green < 80) & (blue < 80), target & ~box)
    np.testing.assert_array_equal((red > 150) & (green > 150) & (blue < 120), box)
    np.testing.assert_array_equal((red > 120) & (green > 110) & (blue > 100), wall)
    assert (picture[:3] < 30).all()  # nothing beyond the board


def test_a_pressed_pad_and_its_box_change_colour(tmp_path):
    levels = write_levels(tmp_path, ["#######", "#@ *$.#", "#######"])
    environment = load("mujoban", levels=levels, top_camera=(140, 140))
    picture = environment.reset().observation["top_camera"].astype(int)
    row, cell = 70, 140 / 1.1 / 7  # pixels
    colours = picture[row, [70, round(70 - 0.45 * cell), round(70 + cell), round(70 + 2 * cell)]]
    for colour, bright in zip(colours, ((2,), (1,), (0, 1), (0,)), strict=True):
        assert {i for i in range(3) if colour[i] > 130} == set(bright)  # blue, green, yellow, red
