"""What holds for every embedded environment: snapshots, many worlds, actions, long runs."""

import ctypes
import gc
import pickle
import platform
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from environments import load_vector
from environments.base import VectorEnvironment
from environments.embedded.environment import EmbeddedEnvironment
from environments.vector import WorldError, world_seed
from environments.vector.threads import ThreadedWorlds
from tests.environments.cases import CASES, EMBEDDED
from tests.environments.test_contract import draw, same
from tests.environments.vector.worlds import assert_row

SETTINGS = [
    pytest.param(name, variant, id=f"{name}-{i}")
    for name in EMBEDDED
    for i, variant in enumerate(({}, *CASES[name].variants))
]


def load(name: str, variant: dict[str, Any], seed: int = 0) -> EmbeddedEnvironment:
    environment = CASES[name].load(name, seed=seed, **variant)
    assert isinstance(environment, EmbeddedEnvironment)
    return environment


def largest_actions(worlds: VectorEnvironment) -> np.ndarray:
    spec: Any = worlds.spec.action
    return np.stack([spec.maximum] * worlds.num_environments)


def actions(environment: EmbeddedEnvironment, count: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [draw(rng, environment.action_spec()) for _ in range(count)]


def moment(environment: EmbeddedEnvironment, step) -> tuple:
    """All that a step shows."""
    info = {key: value.item() for key, value in environment.info.items()}
    return step, info, environment.outcome, environment.level_index


def equal(a: tuple, b: tuple) -> bool:
    return same(a[0], b[0]) and a[1:] == b[1:]


@pytest.mark.parametrize(("name", "variant"), SETTINGS)
def test_a_snapshot_brings_everything_back(name, variant):
    """Within an episode, in the middle of another, in an environment of its own, and at LAST."""
    environment, other = load(name, variant, seed=1), load(name, variant, seed=2)
    play = actions(environment, 45)
    for action in actions(environment, 8, seed=1):
        environment.step(action)
    before = moment_of_state(environment)
    snapshot = environment.snapshot()
    expected = [moment(environment, environment.step(action)) for action in play]
    assert any(step.last() for step, *_ in expected)
    for _ in range(4):
        other.step(play[0])
    for each, given in ((environment, snapshot), (other, pickle.loads(pickle.dumps(snapshot)))):
        each.restore(given)
        for mine, theirs in zip(moment_of_state(each), before, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        for action, shown in zip(play, expected, strict=True):
            assert equal(moment(each, each.step(action)), shown)
            if shown[0].last():
                each.restore(each.snapshot())
        each.close()


def moment_of_state(environment: EmbeddedEnvironment) -> list[np.ndarray]:
    shown = environment.observation()
    info = environment.info
    return [*(shown[key] for key in sorted(shown)), *(info[key] for key in sorted(info))]


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        (name, variant)
        for name in EMBEDDED
        for variant in ({}, *CASES[name].variants)
        if not variant or "hints" in variant
    ],
)
def test_taking_a_snapshot_changes_nothing(name, variant):
    plain, watched = load(name, variant), load(name, variant)
    for action in actions(plain, 30):
        expected, shown = plain.step(action), watched.step(action)
        watched.snapshot()
        watched.observation()
        assert same(shown, expected)
    plain.close()
    watched.close()


@pytest.mark.parametrize("name", EMBEDDED)
def test_info_has_the_same_scalars_always(name):
    environment = load(name, {})
    environment.reset()
    keys = {key: (value.shape, value.dtype) for key, value in environment.info.items()}
    assert keys["outcome"] == ((), np.int32)
    for action in actions(environment, 45):
        step, info = environment.step(action), environment.info
        assert {key: (value.shape, value.dtype) for key, value in info.items()} == keys
        assert all(shape == () for shape, _ in keys.values())
        ended = environment.spec.outcomes[info["outcome"]] if step.last() else None
        assert environment.outcome == ended
        assert (info["outcome"] >= 0) == step.last()


@pytest.mark.parametrize(("name", "variant"), SETTINGS)
def test_each_of_many_worlds_plays_as_it_does_alone(name, variant):
    singles = [load(name, variant, seed=world_seed(4, i)) for i in range(2)]
    with load_vector(name, 2, seed=4, **{**CASES[name].options, **variant}) as worlds:
        assert worlds.spec == singles[0].spec
        assert worlds.num_levels == singles[0].num_levels
        rng = np.random.default_rng(0)
        for _ in range(30):
            chosen = [draw(rng, worlds.spec.action) for _ in singles]
            shown = worlds.step(np.stack(chosen))
            for i, single in enumerate(singles):
                assert_row(shown, i, single.step(chosen[i]), single.info)
    for single in singles:
        single.close()


@pytest.mark.parametrize("name", EMBEDDED)
def test_physics_that_fails_costs_one_world_one_episode(name):
    environments: list[EmbeddedEnvironment] = []

    def build(world: int) -> EmbeddedEnvironment:
        environments.append(load(name, {}, seed=world))
        return environments[-1]

    with ThreadedWorlds(build, 2) as worlds:
        worlds.reset()
        actions = largest_actions(worlds)
        worlds.step(actions)
        environments[1].simulation.data.qvel[0] = np.nan  # idle: nobody else looks at it
        with pytest.raises(WorldError, match="world 1: PhysicsError: MuJoCo warns of"):
            worlds.step(actions)
        ids, _ = worlds.recv(1)
        assert ids.tolist() == [0]
        assert worlds.step(actions).is_first.tolist() == [False, True]
        after = worlds.step(actions)
        assert not after.is_first.any()
        assert all(np.isfinite(value).all() for value in after.observation.values())


@pytest.mark.parametrize("name", EMBEDDED)
def test_levels_can_be_chosen(name):
    environment = load(name, {})
    last = environment.num_levels - 1
    assert environment.reset_to(last).first()
    assert environment.level_index == last
    for level in (-1, last + 1):
        with pytest.raises(IndexError, match="there is no level"):
            environment.reset_to(level)


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_bad_action_changes_nothing(name):
    environment, untouched = load(name, {}), load(name, {})
    spec: Any = environment.action_spec()
    environment.reset()
    untouched.reset()
    span = spec.maximum - spec.minimum
    good = (spec.minimum + spec.maximum) / 2
    first = np.eye(len(good), dtype=np.float32)[0]
    bad = [
        good[:-1], good[None], np.zeros(()), None, "left", np.full_like(good, np.nan),
        np.full_like(good, -np.inf), spec.maximum + 1.1e-4 * span * first,
        spec.minimum - 1.1e-4 * span * first, [[0.0]] * len(good),
    ]  # fmt: skip
    for action in bad:
        with pytest.raises(ValueError, match="action"):
            environment.step(action)
    for action, clipped in (
        (spec.maximum + 0.9e-4 * span, spec.maximum),
        (spec.minimum - 0.9e-4 * span, spec.minimum),
        (good.tolist(), good),
        (good.astype(np.float64), good),
    ):
        assert same(environment.step(action), untouched.step(clipped))


LONG = [
    pytest.param(
        name, part, id=f"{name}-{part}", marks=pytest.mark.soak if part else pytest.mark.slow
    )
    for name in EMBEDDED
    for part in range(5)
]
STEPS = 20_000  # in each of five parts


@pytest.mark.timeout(1200)  # seconds; half a minute on an idle core
@pytest.mark.parametrize(("name", "part"), LONG)
def test_long_play_is_finite_and_memory_stays_flat(name, part):
    options = {"mujoban": {"control_step": 0.025, "time_limit": 20.0}}.get(
        name, {"time_limit": 30.0}
    )
    environment = load(name, options, seed=part)
    spec, rng = environment.action_spec(), np.random.default_rng(part)
    shown, sizes, ends = environment.observation_spec(), [], 0
    held = draw(rng, spec)
    for step in range(STEPS):
        if step % 10 == 0:  # held for a while, an action gets somewhere
            held = draw(rng, spec)
        time_step = environment.step(held)
        ends += time_step.last()
        assert time_step.reward is None or np.isfinite(time_step.reward)
        assert all(np.isfinite(value).all() for value in time_step.observation.values())
        if step % 100 == 0:
            for key, value in time_step.observation.items():
                shown[key].validate(value)
            assert np.isfinite(environment.simulation.state()).all()
        if step % 1000 == 999:
            sizes.append(_resident_megabytes())
    environment.close()
    assert ends >= STEPS * environment.simulation.control_step / 30 - 1
    # After a warm-up: a leak of 1 kB a step would be 15 MB.
    assert max(sizes[5:]) - sizes[4] < 8, sizes


@pytest.mark.parametrize("name", EMBEDDED)
def test_memory_stays_flat_over_many_resets(name):
    environment, sizes = load(name, {}), []
    for count in range(1200):
        environment.reset()
        if count % 200 == 199:
            sizes.append(_resident_megabytes())
    # A leak of 10 kB a reset would be 8 MB.
    assert max(sizes[2:]) - sizes[1] < 6, sizes


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mujoban", "mujoxo"])
def test_memory_stays_flat_while_cameras_look(name):
    environment, sizes = load(name, CASES[name].variants[0]), []
    action = environment.action_spec().maximum
    for step in range(2400):
        environment.step(action)
        if step % 400 == 399:
            sizes.append(_resident_megabytes())
    environment.close()
    assert max(sizes[2:]) - sizes[1] < 8, sizes


@pytest.mark.slow
def test_nothing_is_left_of_worlds_that_come_and_go():
    options = {**CASES["mujoxo"].options, "front_camera": (16, 24)}
    left = []
    for count in range(40):
        with load_vector("mujoxo", 2, **options) as worlds:
            for _ in range(3):
                worlds.step(largest_actions(worlds))
        if count % 10 == 9:
            left.append(_left_behind())
    megabytes = [each[0] for each in left]
    # A world is 3 MB, its context of rendering 11. After a warm-up, 60 worlds come and go.
    assert megabytes[-1] - megabytes[0] < 60 * 1.0, left
    assert all(last <= first for first, last in zip(left[0][1:], left[-1][1:], strict=True)), left


def _left_behind() -> tuple[float, int, int, int]:
    """Megabytes, without what the allocator keeps to itself; files, threads, worlds."""
    gc.collect()
    if platform.libc_ver()[0] == "glibc":  # its arenas grow with every thread that was ever busy
        ctypes.CDLL(None).malloc_trim(0)
    files, threads = (len(list(Path("/proc/self", name).iterdir())) for name in ("fd", "task"))
    worlds = sum(isinstance(each, EmbeddedEnvironment) for each in gc.get_objects())
    return _resident_megabytes(), files, threads, worlds


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6
