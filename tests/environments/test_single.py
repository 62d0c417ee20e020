"""What every single environment has beside dm_env's interface: levels, seeds, copies, pictures."""

import copy
import pickle
from typing import Any

import gymnasium
import numpy as np
import pytest

from environments import load, load_vector
from environments.base import Environment
from environments.errors import PhysicsError, UserError
from tests.environments.cases import CASES, EMBEDDED
from tests.environments.test_contract import SETTINGS, draw, same, variant_of
from tests.environments.test_gymnasium_adapter import make

STEPS = 25


def load_case(name: str, index: int, seed: int = 0) -> Environment:
    return CASES[name].load(name, seed=seed, **variant_of(name, index))


def played(environment: Environment, steps: int, seed: int = 0) -> list[Any]:
    """The time steps of random play that goes on from here, and what else is told of each."""
    rng, shown = np.random.default_rng(seed), []
    for _ in range(steps):
        step = environment.step(draw(rng, environment.action_spec()))
        scalars = {key: value.item() for key, value in environment.info.items()}
        shown.append((step, scalars, environment.outcome, environment.level_index))
    return shown


def assert_alike(a: list[Any], b: list[Any]) -> None:
    for (mine, *more), (theirs, *others) in zip(a, b, strict=True):
        assert same(mine, theirs)
        assert more == others


@pytest.mark.parametrize("name", CASES)
def test_the_single_face_keeps_its_contract(name):
    environment = load_case(name, 0)
    assert isinstance(environment, Environment)
    assert environment.step(None).first()  # whatever the action
    last = environment.num_levels - 1
    assert environment.reset_to(last).first()
    assert environment.level_index == last
    for level in (-1, last + 1):
        with pytest.raises(IndexError, match="no level"):
            environment.reset_to(level)
    shown = played(environment, STEPS)
    for key, value in environment.observation().items():
        np.testing.assert_array_equal(value, shown[-1][0].observation[key])
    for step, info, outcome, _ in shown:
        outcomes = environment.spec.outcomes
        assert info["outcome"] == (outcomes.index(outcome) if step.last() else -1)
        assert (outcome is None) != step.last()
    planes = environment.planes()
    assert planes.dtype == bool
    assert planes.ndim == 3
    assert not np.may_share_memory(planes, environment.planes())
    environment.reset()
    with pytest.raises(ValueError, match="action"):
        environment.step("left")
    environment.close()


@pytest.mark.parametrize(("name", "index"), SETTINGS)
def test_a_new_seed_begins_what_a_new_environment_begins(name, index):
    used = load_case(name, index, seed=3)
    played(used, STEPS)
    for seed in (7, 8):
        used.reseed(seed)
        fresh = load_case(name, index, seed=seed)
        assert same(used.reset(), fresh.reset())
        assert_alike(played(used, STEPS), played(fresh, STEPS))
        fresh.close()
    used.close()


@pytest.mark.parametrize(("name", "index"), SETTINGS)
def test_a_copy_goes_on_as_its_original_does(name, index):
    original = load_case(name, index)
    copies = [copy.deepcopy(original)]
    played(original, STEPS)
    copies += [copy.deepcopy(original), copy.copy(original), pickle.loads(pickle.dumps(original))]
    copies[0].restore(original.snapshot())
    expected = played(original, 2 * STEPS)
    for each in copies:
        assert_alike(played(each, 2 * STEPS), expected)
        each.close()
    original.close()


def test_a_copy_of_mujoban_has_the_walls_that_it_shows():
    original: Any = CASES["mujoban"].load("mujoban")
    original.reset_to(0)
    copied = copy.deepcopy(original)
    for level in (1, 0):
        for each in (original, copied):
            each.reset_to(level)
        for name in ("geom_pos", "geom_size", "site_pos"):
            mine, theirs = (getattr(each.simulation.model, name) for each in (original, copied))
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_copy_notices_that_physics_fails(name):
    copied: Any = copy.deepcopy(load_case(name, 0))
    copied.reset()
    copied.simulation.data.qvel[0] = np.nan
    with pytest.raises(PhysicsError, match="MuJoCo warns"):
        copied.step(copied.action_spec().maximum)
    assert copied.step(None).first()


def test_what_cannot_be_copied_says_so_in_one_line():
    embedded: Any = load_case("mujoxo", 0)
    vectors = [load_vector(name, 1, **CASES[name].options) for name in ("sokoban", "mujoban")]
    for part in (embedded.embedding, embedded.simulation, *vectors):
        for attempt in (copy.deepcopy, pickle.dumps):
            with pytest.raises(UserError, match="cannot be copied") as error:
                attempt(part)
            assert "\n" not in str(error.value)
    for each in vectors:
        each.close()


@pytest.mark.parametrize("name", [name for name in CASES if name not in EMBEDDED])
def test_symbolic_games_have_pictures(name):
    environment = load_case(name, 0)
    environment.reset()
    before = environment.picture()
    assert before.dtype == np.uint8
    assert before.shape[2] == 3
    assert len(np.unique(before.reshape(-1, 3), axis=0)) > 1
    played(environment, 3)
    assert (environment.picture() != before).any()
    environment.close()


def test_a_gymnasium_environment_can_be_copied():
    original = make("mujoban")
    original.reset(seed=0)
    copied = copy.deepcopy(original)
    assert isinstance(copied, gymnasium.Env)
    for _ in range(5):
        mine, theirs = (each.step(np.ones(3, np.float32)) for each in (original, copied))
        assert mine[1:] == theirs[1:]
        for key in mine[0]:
            np.testing.assert_array_equal(mine[0][key], theirs[0][key])


def test_without_a_seed_one_is_drawn():
    def begin() -> tuple[bytes, ...]:
        environment = load("minipacman", seed=None)
        return tuple(environment.reset().observation["planes"].tobytes() for _ in range(3))

    assert begin() != begin()


@pytest.mark.parametrize("seed", [-1, 1.0, "3", True])
def test_seeds_that_are_none_are_refused(seed):
    with pytest.raises(UserError, match="seed must be"):
        load("minipacman", seed=seed)
