import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from environments import load
from environments.embedded.boards.registration import MujogoOptions, MujoxoOptions
from environments.embedded.environment import EmbeddedEnvironment
from environments.errors import UserError
from environments.players.gnugo import find_gnugo
from tests.environments.embedded.boards.arm import STILL, fist_on


def loaded(name: str, **options) -> Any:
    made = load(name, **options)
    assert isinstance(made, EmbeddedEnvironment)
    made.reset()
    return made


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mujoxo", {"opponent": "optimum"}, "did you mean 'optimal'"),
        ("mujoxo", {"opponent": "random("}, "random"),
        ("mujoxo", {"time_limit": 0.01}, "time_limit must be at least 0.05"),
        ("mujoxo", {"time_limit": float("inf")}, "time_limit must be at least 0.05 and finite"),
        ("mujoxo", {"front_camera": (84, 0)}, "front_camera must be two sizes"),
        ("mujoxo", {"task": "win2"}, "win1"),
        ("mujoxo", {"task": "win1", "random_plies": 2}, "leave random_plies at 0"),
        ("mujogo", {"task": "win1", "opponent": "random"}, "has 49"),
        ("mujogo", {"size": 10}, "size must be 5 to 9, not 10"),
        ("mujogo", {"komi": 7.0}, "komi must be a half"),
        ("mujogo", {"opponent": "optimal"}, "try mcts"),
        ("touch_board", {"game": "chess"}, "cannot be played on cells"),
        ("touch_board", {"game": "hexx"}, "hex"),
        ("touch_board", {"game": "go(board_size=2)", "opponent": "gnugo"}, "5 to 19"),
        ("touch_board", {"game": "hex(board_size=20)"}, "choose a smaller board"),
    ],
)
def test_mistakes_are_told_in_one_line(name, options, message):
    with pytest.raises(UserError, match=message) as caught:
        load(name, **options)
    assert "\n" not in str(caught.value)


def test_registration_loads_neither_jax_nor_mujoco():
    code = (
        "import sys; import environments.embedded.boards.registration;"
        "print({'jax', 'mujoco', 'dm_control'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "options", "seconds"),
    [
        ("mujoxo", {}, 54),
        ("mujogo", {"opponent": "random"}, 294),
        ("mujogo", {"opponent": "random", "size": 5, "time_limit": 10.0}, 10),
    ],
)
def test_time_limits(name, options, seconds):
    environment = loaded(name, **options)
    control = environment.simulation.control_step
    assert control == pytest.approx(0.05)
    assert environment._limit * control == pytest.approx(seconds)


def test_a_time_limit_is_a_truncation():
    environment = loaded("mujoxo", time_limit=0.1)
    assert environment.step(STILL).mid()
    step = environment.step(STILL)
    assert step.last()
    assert (step.discount, environment.outcome) == (1, "unfinished")


def test_actions_have_the_public_bounds():
    spec = loaded("mujoxo").action_spec()
    assert spec.dtype == np.float32
    np.testing.assert_allclose(spec.maximum, np.repeat([0.6283, 0.8378, 5], 3), atol=1e-4)
    np.testing.assert_allclose(spec.minimum, -spec.maximum)


def test_defaults_are_named():
    assert MujoxoOptions().opponent == "optimal"
    assert MujogoOptions().opponent == "mcts(simulations=100)"
    assert MujogoOptions().openspiel == "go(board_size=7,komi=7.5)"


def test_cameras():
    environment = loaded(
        "mujogo", opponent="random", front_camera=(84, 84), front_camera_2=(84, 84)
    )
    fist_on(environment.embedding, 3, 3)
    before = environment.observation()
    step = environment.step(STILL)
    for key in ("front_camera", "front_camera_2"):
        picture = step.observation[key]
        assert picture.shape == (84, 84, 3)
        assert picture.dtype == np.uint8
        assert picture.std() > 20
        assert (picture != before[key]).any()
    environment.close()


def test_one_seed_decides_everything():
    rng = np.random.default_rng(0)
    spec = loaded("mujoxo").action_spec()
    actions = [rng.uniform(spec.minimum, spec.maximum).astype(np.float32) for _ in range(60)]
    traces = []
    for seed in (5, 5, 6):
        environment = load("mujoxo", seed=seed, opponent="random", time_limit=1.0)
        steps = [environment.reset(), *(environment.step(action) for action in actions)]
        traces.append(np.array([step.observation["jaco_arm/joints_pos"] for step in steps]))
    np.testing.assert_array_equal(traces[0], traces[1])
    assert (traces[0] != traces[2]).any()


@pytest.mark.skipif(find_gnugo() is None, reason="the program gnugo is not installed")
def test_gnu_go_answers():
    environment = loaded("mujogo", size=5, opponent="gnugo(level=1)")
    fist_on(environment.embedding, 2, 2)
    step = environment.step(STILL)
    assert len(environment.state.history) == 2
    assert step.mid()
    environment.close()


def test_the_opponent_draws_other_numbers_than_the_environment():
    """Else its next move could be told from the arm's start pose."""
    streams = []
    for seed in range(3):
        environment = loaded("mujoxo", seed=seed, opponent="random")
        states = environment.embedding.opponent.snapshot(), environment.snapshot().rng
        streams += [state["state"]["inc"] for state in states]
    assert len(set(streams)) == 6
