"""What a model learner has learnt, on the play of its own policy on levels that it never saw."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp

from agents.base import Agent, Metrics, OnPolicy, Params
from environments.base import BatchedEnvironment
from launch.device_program import DeviceState, gather

STEPS = 60  # of every board, resets included
BOARDS = 256  # at most


def assess(
    agent: Agent, params: Params, environment: BatchedEnvironment, *, episodes: int, seed: int = 0
) -> dict[str, float]:
    """The metrics of `agent.assess`; {} for an agent that predicts nothing.

    Args:
      agent: plays as it does to gather data, not greedily.
      params: what it plays and predicts with.
      environment: over the levels; each of the first so many begins a board, what follows on a
        board is drawn from all of them.
      episodes: how many boards, but no more than `BOARDS`.
      seed: of all that is random.
    """
    if agent.assess is None:
        return {}
    levels = jnp.arange(min(episodes, BOARDS)) % environment.num_levels
    metrics = _assess(agent, environment, params, levels, jax.random.key(seed))
    return {name: float(value) for name, value in metrics.items()}


def metric_names(agent: Agent, environment: BatchedEnvironment) -> tuple[str, ...]:
    """The names of the metrics, without computing them."""
    if agent.assess is None:
        return ()
    shapes = jax.eval_shape(
        lambda key: _metrics(
            agent, environment, agent.policy_params(agent.init(key)), jnp.arange(1), key
        ),
        jax.random.key(0),
    )
    return tuple(sorted(shapes))


def _metrics(agent, environment, params, levels, key) -> Metrics:
    batch = len(levels)
    start_key, key = jax.random.split(key)
    state, timestep = environment.start(start_key, levels)
    player = replace(agent, policy_params=lambda params: params, data=OnPolicy(STEPS, batch, 1))
    zeros = jnp.zeros(batch)
    begun = DeviceState(
        agent=params,
        environment=state,
        timestep=timestep,
        core=agent.initial_core(batch),
        episode_return=zeros,
        episode_length=zeros.astype(jnp.int32),
        key=key,
    )
    _, unroll, _ = gather(player, environment, begun, key)
    return agent.assess(params, unroll)


_assess = partial(jax.jit, static_argnames="agent")(_metrics)
