"""What a model learner has learnt, in environments without a batched face: see assessment.py.

Shape letters: `T` steps, `N` worlds.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np

from agents.base import Agent, Metrics, Params, Unroll
from environments.base import EnvironmentSpec, VectorEnvironment
from environments.registry import EnvironmentOptions, build_vector
from launch.distributed.base import item_spec
from launch.suite_options import has_level_sets, on_suite

STEPS = 20  # of every board, resets included: steps are slow here, and pictures large
BOARDS = 256  # at most
_WORLDS = 8  # at a time; fixed, so that results do not depend on the machine


def assess_worlds(
    agent: Agent,
    params: Params,
    options: EnvironmentOptions,
    suite: str,
    *,
    episodes: int,
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """The metrics of `agent.assess`; {} for an agent that predicts nothing.

    Args:
      agent: plays as it does to gather data, not greedily.
      params: what it plays and predicts with.
      options: of the environment.
      suite: a suite or level source, or an opponent; "" for the options' own. Each of its first
        levels begins a board, what follows on a board is drawn from all of them.
      episodes: how many boards, but no more than `BOARDS` or there are levels; 0 for all that.
      seed: of all that is random.
      check: called at every step; what it raises ends it.
    """
    if agent.assess is None:
        return {}
    options = on_suite(options, suite)
    boards = min(episodes or BOARDS, BOARDS)
    with build_vector(options, min(boards, _WORLDS), seed=seed) as environment:
        if has_level_sets(options):
            boards = min(boards, environment.num_levels)
        unroll = _played(agent, params, environment, boards, jax.random.key(seed), check)
    return {name: float(value) for name, value in _judge(agent, params, unroll).items()}


def metric_names(agent: Agent, spec: EnvironmentSpec) -> tuple[str, ...]:
    """The names of the metrics, without computing them."""
    if agent.assess is None:
        return ()
    item = item_spec(agent, spec, STEPS).unroll
    alone = replace(jax.tree.map(partial(_with_axis, axis=1), replace(item, core=())),
                    core=jax.tree.map(partial(_with_axis, axis=0), item.core))  # fmt: skip
    params = jax.eval_shape(lambda key: agent.policy_params(agent.init(key)), jax.random.key(0))
    return tuple(sorted(jax.eval_shape(agent.assess, params, alone)))


def _with_axis(leaf: jax.ShapeDtypeStruct, axis: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((*leaf.shape[:axis], 1, *leaf.shape[axis:]), leaf.dtype)


def _played(
    agent: Agent,
    params: Params,
    environment: VectorEnvironment,
    boards: int,
    key: jax.Array,
    check: Callable[[], None],
) -> Unroll:
    """The unrolls of so many boards, as many at a time as there are worlds."""
    worlds, parts = environment.num_environments, []
    for first in range(0, boards, worlds):
        levels = np.arange(first, first + worlds) % environment.num_levels
        key, part_key = jax.random.split(key)
        parts.append(_unroll(agent, params, environment, levels, part_key, check))

    def joined(axis: int) -> Callable[..., np.ndarray]:
        # The last round may have more worlds than boards are left.
        rest = [slice(None)] * axis + [slice(boards)]
        return lambda *leaves: np.concatenate(leaves, axis)[tuple(rest)]

    timed = jax.tree.map(joined(1), *[replace(part, core=()) for part in parts])
    return replace(timed, core=jax.tree.map(joined(0), *[part.core for part in parts]))


def _unroll(
    agent: Agent,
    params: Params,
    environment: VectorEnvironment,
    levels: np.ndarray,
    key: jax.Array,
    check: Callable[[], None],
) -> Unroll:
    """`STEPS` steps of every world from the start of its level `[N]`."""
    begun = core = agent.initial_core(len(levels))
    now = environment.start(levels)
    shown, taken = [], []
    for step_key in jax.random.split(key, STEPS):
        check()
        action, extras, core = _act(agent, params, step_key, now.observation, now.is_first, core)
        after = environment.step(np.asarray(action))
        shown.append((now.observation, now.is_first, now.is_last))
        taken.append((np.asarray(action), after.reward, after.discount, extras))
        now = after
    shown.append((now.observation, now.is_first, now.is_last))
    observation, is_first, is_last = _stacked(shown)
    action, reward, discount, extras = _stacked(taken)
    return Unroll(observation, is_first, is_last, action, reward, discount, extras, begun)


def _stacked(rows: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *rows)


@partial(jax.jit, static_argnames="agent")
def _act(agent: Agent, params: Params, key: jax.Array, observation: Any, is_first: Any, core: Any):
    return agent.act(params, key, observation, is_first, core, greedy=False)


@partial(jax.jit, static_argnames="agent")
def _judge(agent: Agent, params: Params, unroll: Unroll) -> Metrics:
    assert agent.assess is not None
    return agent.assess(params, unroll)
