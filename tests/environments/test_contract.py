"""What holds for every registered environment."""

import itertools
import unittest
from functools import cache
from typing import Any

import dm_env
import numpy as np
import pytest
from dm_env import specs, test_utils

from environments import entries
from tests.environments.cases import CASES

STEPS = 60
SETTINGS = [
    (name, index) for name, case in CASES.items() for index in range(1 + len(case.variants))
]


def play(environment: dm_env.Environment, seed: int = 0, steps: int = STEPS):
    """Yields the time steps of random play, across resets."""
    rng, spec = np.random.default_rng(seed), environment.action_spec()
    yield environment.reset()
    for _ in range(steps):
        yield environment.step(draw(rng, spec))


@cache
def played(name: str, index: int) -> list[dm_env.TimeStep]:
    """The time steps of random play, made once for all tests: not to be written to."""
    return list(play(CASES[name].load(name, **variant_of(name, index))))


def variant_of(name: str, index: int) -> dict[str, Any]:
    """Further options; 0 for none."""
    return ({}, *CASES[name].variants)[index]


def draw(rng: np.random.Generator, spec) -> np.ndarray:
    if isinstance(spec, specs.DiscreteArray):
        return np.asarray(rng.integers(spec.num_values), spec.dtype)
    return rng.uniform(spec.minimum, spec.maximum, spec.shape).astype(spec.dtype)


def same(a: dm_env.TimeStep, b: dm_env.TimeStep) -> bool:
    return (
        a.step_type == b.step_type
        and a.reward == b.reward
        and a.discount == b.discount
        and all(np.array_equal(a.observation[key], b.observation[key]) for key in a.observation)
    )


def test_every_environment_has_a_case():
    assert set(CASES) == set(entries()), "add what is missing to tests/environments/cases.py"


@pytest.mark.parametrize(("name", "index"), SETTINGS)
def test_dm_env_contract(name, index):
    class Contract(test_utils.EnvironmentTestMixin, unittest.TestCase):
        def make_object_under_test(self):
            return CASES[name].load(name, **variant_of(name, index))

        def make_action_sequence(self):
            rng, spec = np.random.default_rng(0), self.environment.action_spec()
            return (draw(rng, spec) for _ in range(STEPS))

    suite = unittest.TestLoader().loadTestsFromTestCase(Contract)
    result = unittest.TestResult()
    suite.run(result)
    assert result.testsRun >= 4
    assert not [text for _, text in result.errors + result.failures]


@pytest.mark.parametrize(("name", "index"), SETTINGS)
def test_time_steps_conform_to_float32_and_finite_specs(name, index):
    environment: Any = CASES[name].load(name, **variant_of(name, index))
    spec = environment.observation_spec()
    assert environment.reward_spec().dtype == np.float32
    assert environment.discount_spec().dtype == np.float32
    assert isinstance(spec, dict)
    allowed = (bool, np.uint8, np.int32, np.float32)
    assert all(each.dtype in allowed for each in spec.values())
    assert environment.action_spec().dtype in (np.int32, np.float32)
    for step in play(environment):
        assert set(step.observation) == set(spec)
        for key, value in step.observation.items():
            spec[key].validate(value)
            assert isinstance(value, np.ndarray)
            assert np.all(np.isfinite(value))
        if not step.first():
            assert np.float32 == step.reward.dtype == step.discount.dtype
            environment.reward_spec().validate(step.reward)
            environment.discount_spec().validate(step.discount)
            assert np.isfinite(step.reward)


@pytest.mark.parametrize(("name", "index"), SETTINGS)
def test_the_seed_decides_everything(name, index):
    first, variant = played(name, index), variant_of(name, index)
    again, other = (list(play(CASES[name].load(name, seed=seed, **variant))) for seed in (0, 6))
    assert all(same(a, b) for a, b in zip(first, again, strict=True))
    assert not all(same(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize(("name", "index"), SETTINGS)
def test_environments_do_not_disturb_each_other(name, index):
    alone, variant = played(name, index), variant_of(name, index)
    side_by_side = zip(
        play(CASES[name].load(name, seed=0, **variant)),
        play(CASES[name].load(name, seed=6, **variant)),
        strict=True,
    )
    assert all(same(a, b) for a, (b, _) in zip(alone, side_by_side, strict=True))


@pytest.mark.parametrize(("name", "index"), SETTINGS)
def test_an_observation_can_be_kept_and_written_to(name, index):
    steps = played(name, index)
    arrays = [value for step in steps for value in step.observation.values()]
    for i, array in enumerate(arrays):
        assert not any(np.may_share_memory(array, other) for other in arrays[i + 1 :])
    again = []
    for step in play(CASES[name].load(name, **variant_of(name, index))):
        again.append({key: value.copy() for key, value in step.observation.items()})
        for value in step.observation.values():
            value[...] = value.dtype.type(1)
    for step, kept in zip(steps, again, strict=True):
        for key, value in kept.items():
            np.testing.assert_array_equal(step.observation[key], value)


@pytest.mark.parametrize(("name", "index"), SETTINGS)
def test_episodes_end_and_restart(name, index):
    steps = played(name, index)
    discounts = {float(step.discount) for step in steps if step.last()}
    assert discounts <= {0.0, 1.0}
    assert 1.0 in discounts, "no episode of this case is cut off by its time limit"
    for before, after in itertools.pairwise(steps):
        assert after.first() == before.last()
        if after.first():
            assert after.reward is after.discount is None
        if after.mid():
            assert after.discount == 1
