"""The Gymnasium adapter, by Gymnasium's own checker and against the dm_env face."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from dm_env import specs
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from environments import entries
from environments.errors import UserError
from environments.gymnasium_adapter import (
    GymnasiumEnvironment,
    action_space,
    register_environments,
    scaled,
    space,
)
from tests.environments.cases import CASES, EMBEDDED

IDS = dict(zip(entries(), register_environments(), strict=True))
ROOT = Path(__file__).parents[2]


def make(name: str, **options: Any) -> gymnasium.Env:
    return gymnasium.make(IDS[name], **{**CASES[name].options, **options})


@pytest.mark.parametrize("name", CASES)
def test_gymnasiums_checker_is_content(name):
    environment = make(name, render_mode="rgb_array")
    check_env(environment.unwrapped)
    environment.close()


@pytest.mark.parametrize("name", EMBEDDED)
def test_gymnasiums_checker_is_content_with_every_observation(name):
    environment = make(name, **CASES[name].variants[0])
    check_env(environment.unwrapped, skip_render_check=True)
    environment.close()


def test_ids_are_titles_and_versions():
    assert {
        "sokoban": "moravec/Sokoban-v1",
        "tic_tac_toe": "moravec/TicTacToe-v1",
        "go": "moravec/Go-v1",
        "minipacman": "moravec/MiniPacman-v1",
        "mujoban": "moravec/MuJoBan-v1",
        "mujoxo": "moravec/MuJoXO-v0",
        "mujogo": "moravec/MuJoGo-v0",
        "touch_board": "moravec/TouchBoard-v0",
    }.items() <= IDS.items()


@pytest.mark.parametrize(
    "program",
    [
        "import gymnasium, environments.gymnasium_adapter; make = gymnasium.make; prefix = ''",
        "from gymnasium import make; prefix = 'environments.gymnasium_adapter:'",
    ],
    ids=["imported", "named"],
)
def test_importing_or_naming_the_module_registers_all(program):
    call = f"make(prefix + {IDS['sokoban']!r}, levels={CASES['sokoban'].options['levels']!r})"
    command = [sys.executable, "-W", "error", "-c", f"{program}; {call}.reset()"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_registering_again_changes_nothing():
    assert register_environments() == list(IDS.values())


@pytest.mark.parametrize("name", CASES)
def test_it_plays_as_the_dm_env_face_does(name):
    ours: Any = CASES[name].load(name, seed=7)
    theirs = make(name)
    theirs.action_space.seed(0)
    step, (observation, info) = ours.reset(), theirs.reset(seed=7)
    ends = 0
    for _ in range(110):
        assert set(observation) == set(step.observation)
        assert theirs.observation_space.contains(observation)
        for key, value in step.observation.items():
            np.testing.assert_array_equal(observation[key], value)
        scalars = getattr(ours, "info", {})
        assert {key: info[key] for key in scalars if key != "outcome"} == {
            key: value for key, value in scalars.items() if key != "outcome"
        }
        if step.last():
            ends += 1
            step, (observation, info) = ours.reset(), theirs.reset()
            continue
        action = theirs.action_space.sample()
        step = ours.step(scaled(action, ours.action_spec()))
        observation, reward, terminated, truncated, info = theirs.step(action)
        assert reward == step.reward
        assert terminated == (step.last() and step.discount == 0)
        assert truncated == (step.last() and step.discount == 1)
        assert ("outcome" in info) == step.last()
        assert info.get("outcome") == (ours.outcome if step.last() else None)
    assert ends > 1


@pytest.mark.parametrize("name", CASES)
def test_pictures(name):
    blind, seeing = make(name), make(name, render_mode="rgb_array")
    blind.reset(seed=0)
    assert blind.render() is None
    pictures = []
    for _ in range(2):
        seeing.reset(seed=0)
        picture: Any = seeing.render()
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        assert len(np.unique(picture)) > 2
        pictures.append(picture)
    np.testing.assert_array_equal(*pictures)
    seeing.close()


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="one of None, rgb_array, not human"):
        GymnasiumEnvironment("sokoban", render_mode="human", **CASES["sokoban"].options)


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_bad_action_is_refused(name):
    environment = make(name).unwrapped
    environment.reset(seed=0)
    good: Any = environment.action_space.sample()
    for bad in (good[:-1], np.full_like(good, np.nan), np.full_like(good, 1.001)):
        with pytest.raises(ValueError, match="action"):
            environment.step(bad)
    environment.step(np.full_like(good, 1.00001))


def test_a_step_outside_an_episode_asks_for_a_reset():
    environment: Any = make("sokoban").unwrapped
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        environment.step(0)
    environment.reset(seed=0)
    while not any(environment.step(0)[2:4]):
        pass
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        environment.step(0)
    environment.reset()
    environment.step(0)


def test_a_solved_level_is_terminated():
    theirs: Any = make("sokoban").unwrapped
    theirs.reset(seed=0, options={"level": 0})  # pushed right, its only box is on its target
    _, reward, terminated, truncated, info = theirs.step(3)
    assert (reward, terminated, truncated) == (pytest.approx(10.9), True, False)
    assert info["outcome"] == "solved"


def test_without_a_seed_it_is_random():
    def start() -> tuple:
        environment = make("sokoban")
        return tuple(environment.reset()[0]["planes"].tobytes() for _ in range(12))

    assert len({start() for _ in range(4)}) > 1  # 3^-36 by chance


@pytest.mark.parametrize(
    ("options", "message"),
    [({"leve": 1}, "did you mean 'level'"), ({"level": "x"}, "level must be a whole number")],
)
def test_wrong_options_of_a_reset_are_refused(options, message):
    environment = make("sokoban").unwrapped
    with pytest.raises(UserError, match=message):
        environment.reset(options=options)
    with pytest.raises(IndexError, match="no level 99"):
        environment.reset(options={"level": 99})
    environment.reset(options={"level": np.int64(1)})
    environment.step(0)


def test_a_seeded_reset_costs_what_a_reset_costs():
    environment = make("sokoban", levels="generated:size=8,boxes=2,count=300,seed=0")

    def seconds(seeds: Iterable[int | None]) -> float:
        begin = time.process_time()
        for seed in seeds:
            environment.reset(seed=seed)
        return (time.process_time() - begin) / 50

    assert seconds(range(50)) - seconds([None] * 50) < 1e-3


@pytest.mark.parametrize("name", CASES)
def test_every_observation_has_a_dimension(name):
    environment = make(name)
    observation, _ = environment.reset(seed=0)
    assert environment.observation_space.contains(observation)
    assert all(value.ndim for value in observation.values())
    environment.close()


VECTORS = """
import sys

import gymnasium
import numpy as np

import environments.gymnasium_adapter


def play(mode, **options):
    worlds = gymnasium.make_vec(
        "moravec/MuJoBan-v1", 2, mode, vector_kwargs=options,
        levels=sys.argv[1], control_step=0.05, top_camera=(8, 8),
    )
    shown = [worlds.reset(seed=[3, 4])[0], worlds.reset(options={"level": 1})[0]]
    shown.append(worlds.step(np.full((2, 3), 0.5, np.float32))[0])
    worlds.close()
    return shown


if __name__ == "__main__":
    expected = play("sync") if "spawn" in sys.argv else None
    shown = play("async", context=sys.argv[2])
    assert shown[0]["top_camera"].any()
    for mine, theirs in zip(shown, expected or play("sync"), strict=True):
        for key in mine:
            np.testing.assert_array_equal(mine[key], theirs[key])
"""


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_gymnasiums_own_vectors_with_a_camera(tmp_path, context):
    program = tmp_path / "vectors.py"
    program.write_text(VECTORS)
    done = subprocess.run(
        [sys.executable, program, CASES["mujoban"].options["levels"], context],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=240,
    )
    if "CannotRenderError" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.returncode == 0, done.stderr


def test_unknown_options_are_refused():
    with pytest.raises(UserError, match="did you mean 'noop'"):
        make("sokoban", nop=True)


def test_bounds_become_those_of_a_box():
    box = space(specs.BoundedArray((3,), np.float32, -1.0, [1.0, 2.0, 3.0]))
    assert isinstance(box, gymnasium.spaces.Box)
    assert box.dtype == np.float32
    np.testing.assert_array_equal(box.high, [1, 2, 3])
    np.testing.assert_array_equal(box.low, [-1, -1, -1])


def test_continuous_actions_are_scaled():
    spec = specs.BoundedArray((2,), np.float32, [-0.5, 1.0], [0.5, 4.0])
    box: Any = action_space(spec)
    assert (box.low == -1).all()
    assert (box.high == 1).all()
    for action, expected in (([-1, -1], [-0.5, 1]), ([1, 1], [0.5, 4]), ([0, 0], [0, 2.5])):
        result = scaled(np.array(action, np.float32), spec)
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, np.array(expected, np.float32))
