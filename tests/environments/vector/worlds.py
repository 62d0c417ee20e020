"""What the tests of many worlds share."""

import threading
from collections.abc import Callable
from typing import Any

import dm_env
import jax
import numpy as np

from environments.base import TimeStep
from environments.vector import world_seed
from environments.vector.threads import ThreadedWorlds
from tests.environments.pendulum import pendulum


def pendulums(count: int, *, seed: int = 0, **options: Any) -> ThreadedWorlds:
    return ThreadedWorlds(lambda i: pendulum(world_seed(seed, i), **options), count)


def threads() -> list[str]:
    """The names of the threads of worlds that are alive."""
    return [each.name for each in threading.enumerate() if each.name.startswith("world-")]


def draws(count: int, seed: int = 0) -> Callable[[], np.ndarray]:
    """Random actions of pendulums, `[count, 1] float32`."""
    rng = np.random.default_rng(seed)
    return lambda: rng.uniform(-1, 1, (count, 1)).astype(np.float32)


def assert_same(ours: TimeStep, theirs: TimeStep) -> None:
    """Bit for bit, dtypes too."""
    mine, others = jax.tree.leaves(ours), jax.tree.leaves(theirs)
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for a, b in zip(mine, others, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def assert_row(vector: TimeStep, row: int, step: dm_env.TimeStep, info: dict[str, Any]) -> None:
    """Row `row` is the dm_env time step, bit for bit."""
    assert vector.is_first[row] == step.first()
    assert vector.is_last[row] == step.last()
    assert vector.reward[row] == (0 if step.first() else step.reward)
    assert vector.discount[row] == (1 if step.first() else step.discount)
    assert set(vector.observation) == set(step.observation)
    for key, value in step.observation.items():
        assert vector.observation[key].dtype == value.dtype
        np.testing.assert_array_equal(vector.observation[key][row], value)
    assert {key: value[row] for key, value in vector.info.items()} == info
