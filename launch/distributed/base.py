"""Types that cross the borders of actor, replay and learner: the item, its stamp, the weights.

Shape letters: `T` steps of an unroll, `N` items on their way together, `B` items of a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import numpy as np

from agents.base import Agent, Unroll
from agents.inputs import zeros_like_spec
from environments.base import Array, EnvironmentSpec


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Stamp:
    """Who made an item, and when; each a scalar, or `[B]` for a batch."""

    version: Array  # int64, of the policy at the item's first step
    actor: Array  # int32
    incarnation: Array  # int32, how often the actor had been replaced before
    world: Array  # int32, among the actor's
    number: Array  # int64, items of this world and incarnation before this one
    seconds: Array  # float64, since the epoch, when its last step was made


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Item:
    """What the replay keeps: one unroll of one environment, and its stamp.

    The arrays of `unroll` lack the axis of environments: `[T+1, ...]`, `[T, ...]`, and, for the
    core, `[...]`. Several items on their way have one more axis before, `[N, ...]`, everywhere. In
    a batch for the learner they are as `Unroll` says, and the stamp's are `[B]`.
    """

    unroll: Unroll
    stamp: Stamp


@dataclass(frozen=True)
class Weights:
    """A published policy."""

    version: int  # increases by one with every update
    params: Any  # a pytree of NumPy arrays


def item_spec(agent: Agent, spec: EnvironmentSpec, length: int) -> Item:
    """Shapes and dtypes of an item: an `Item` of `jax.ShapeDtypeStruct`.

    Args:
      agent: whose extras and core the item holds.
      spec: of the environment.
      length: `T`.
    """
    return Item(jax.eval_shape(partial(_example, agent, spec, length)), _stamp_spec())


def _example(agent: Agent, spec: EnvironmentSpec, length: int) -> Unroll:
    key = jax.random.key(0)
    observation = zeros_like_spec(spec.observation, (1,))
    params = agent.policy_params(agent.init(key))
    flags = jax.numpy.ones((1,), bool)
    core = agent.initial_core(1)
    action, extras, core = agent.act(params, key, observation, flags, core, greedy=False)

    def repeated(tree: Any, times: int) -> Any:
        return jax.tree.map(lambda leaf: leaf.repeat(times, axis=0), tree)

    zeros = jax.numpy.zeros((1,), jax.numpy.float32)
    return Unroll(
        observation=repeated(observation, length + 1),
        is_first=repeated(flags, length + 1),
        is_last=repeated(flags, length + 1),
        action=repeated(action, length),
        reward=repeated(zeros, length),
        discount=repeated(zeros, length),
        extras=repeated(extras, length),
        core=jax.tree.map(lambda leaf: leaf[0], core),
    )


def _stamp_spec() -> Stamp:
    def of(dtype: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((), dtype)

    return Stamp(
        version=of(np.int64),
        actor=of(np.int32),
        incarnation=of(np.int32),
        world=of(np.int32),
        number=of(np.int64),
        seconds=of(np.float64),
    )


def count(items: Item) -> int:
    """`N` of several items."""
    return len(items.stamp.number)


def rows(items: Item, index: Any) -> Item:
    """Those of several items `[N, ...]` that an index of the first axis chooses; of an int, one."""
    return jax.tree.map(lambda leaf: leaf[index], items)


def stack(parts: Sequence[Item]) -> Item:
    """A batch on the host of all items of `parts`, each `[N, ...]`, in their order.

    Time-major, `B` second; the core's and the stamp's first. Every array is a new one.
    """

    def joined(trees: Sequence[Any]) -> Any:
        return jax.tree.map(lambda *leaves: np.concatenate(leaves), *trees)

    cores = joined([part.unroll.core for part in parts])
    unroll = jax.tree.map(_by_time, *[replace(part.unroll, core=()) for part in parts])
    return Item(replace(unroll, core=cores), joined([part.stamp for part in parts]))


def _by_time(*leaves: np.ndarray) -> np.ndarray:
    """`[T, B, ...]` of arrays `[N, T, ...]`."""
    _, length, *rest = leaves[0].shape
    found = np.empty((length, sum(map(len, leaves)), *rest), leaves[0].dtype)
    return np.concatenate([leaf.swapaxes(0, 1) for leaf in leaves], axis=1, out=found)
