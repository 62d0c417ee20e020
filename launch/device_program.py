"""The device runner's compiled program: environments, acting and learning in one jit.

Everything `[B, ...]` is sharded over the devices, parameters are on each of them; XLA adds what
they must tell each other. On a machine with one device this is the same program.

Shape letters: `T` time, `B` environments.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from agents.base import Agent, AgentState, Core, Metrics, OnPolicy, Unroll
from environments.base import Array, BatchedEnvironment, TimeStep
from environments.errors import UserError
from launch.learning import learn

_ANY_FRAMES = np.uint32(2**32 - 1)  # more than any budget


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class DeviceState:
    """Everything that a run on the device runner changes; what a checkpoint holds."""

    agent: AgentState
    environment: Any  # the environment's state, [B, ...]
    timestep: TimeStep  # what the environments show now, [B, ...]
    core: Core  # [B, ...]
    episode_return: jax.Array  # [B] float32, of the running episodes so far
    episode_length: jax.Array  # [B] int32
    key: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EpisodeSums:
    """Sums over the episodes that ended, from which means are made on the host."""

    episodes: jax.Array  # [] int32
    successes: jax.Array  # [] int32
    returns: jax.Array  # [] float32
    lengths: jax.Array  # [] int32


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Sums:
    """Sums over iterations: what a row of metrics is made of."""

    frames_before: Array  # [] uint32, learnt from when the first of them began
    iterations: Array  # [] int32
    metrics: dict[str, Array]  # each [] float32, the learner's, one value for each iteration
    episodes: EpisodeSums


def data_of(agent: Agent) -> OnPolicy:
    """What data the agent asks for. Raises UserError if this runner cannot supply it."""
    if not isinstance(agent.data, OnPolicy):
        raise UserError(
            "the agent learns from a replay, which the device runner lacks: use runner.kind=local"
        )
    return agent.data


def init(agent: Agent, environment: BatchedEnvironment, key: jax.Array) -> DeviceState:
    """The state in which a run begins."""
    batch = data_of(agent).environments
    agent_key, environment_key, key = jax.random.split(key, 3)
    state, timestep = environment.reset(environment_key, batch)
    return DeviceState(
        agent=agent.init(agent_key),
        environment=state,
        timestep=timestep,
        core=agent.initial_core(batch),
        episode_return=jnp.zeros(batch, jnp.float32),
        episode_length=jnp.zeros(batch, jnp.int32),
        key=key,
    )


def no_sums(agent: Agent, environment: BatchedEnvironment) -> Sums:
    """The sums over no iterations, from frame 0 on, as NumPy arrays."""
    state = jax.eval_shape(lambda key: init(agent, environment, key), jax.random.key(0))
    _, (metrics, episodes) = jax.eval_shape(partial(_iteration, agent), environment, state)
    return Sums(
        frames_before=np.uint32(0),
        iterations=np.int32(0),
        metrics={name: np.float32(0) for name in metrics},
        episodes=jax.tree.map(lambda x: x.dtype.type(0), episodes),
    )


def iterate(
    agent: Agent,
    environment: BatchedEnvironment,
    state: DeviceState,
    sums: Sums | None = None,
    *,
    iterations: int | Array,
    max_frames: int | Array = _ANY_FRAMES,
) -> tuple[DeviceState, Sums]:
    """Gathers an unroll and learns from it, again and again.

    Cutting a number of iterations into several calls changes neither the state nor the sums.

    Args:
      agent: who acts and learns.
      environment: where.
      state: where training stands.
      sums: what is added to; None for `no_sums`.
      iterations: how many, at most; may be traced.
      max_frames: no iteration begins once so many frames were learnt from; may be traced.

    Returns:
      The new state and sums.
    """

    def goes_on(carry):
        state, _, done = carry
        return (done < iterations) & (state.agent.frames < jnp.asarray(max_frames, jnp.uint32))

    def once(carry):
        state, sums, done = carry
        state, (metrics, episodes) = _iteration(agent, environment, state)
        metrics = {name: sums.metrics[name] + value for name, value in metrics.items()}
        episodes = jax.tree.map(jnp.add, sums.episodes, episodes)
        iterations = sums.iterations + 1
        sums = replace(sums, iterations=iterations, metrics=metrics, episodes=episodes)
        return state, sums, done + 1

    sums = no_sums(agent, environment) if sums is None else sums
    state, sums, _ = jax.lax.while_loop(goes_on, once, (state, sums, jnp.int32(0)))
    return state, sums


@partial(jax.jit, static_argnames="agent")  # so that it is traced once
def _iteration(
    agent: Agent, environment: BatchedEnvironment, state: DeviceState
) -> tuple[DeviceState, tuple[Metrics, EpisodeSums]]:
    """Gathers one unroll and learns from it."""
    key, act_key, update_key = jax.random.split(state.key, 3)
    state, unroll, episodes = gather(agent, environment, replace(state, key=key), act_key)
    parts = data_of(agent).minibatches
    learner, metrics = learn(agent, state.agent, unroll, update_key, parts=parts)
    return replace(state, agent=learner), (metrics, episodes)


def gather(
    agent: Agent, environment: BatchedEnvironment, state: DeviceState, key: jax.Array
) -> tuple[DeviceState, Unroll, EpisodeSums]:
    """Acts for one unroll with the present policy."""
    params = agent.policy_params(state.agent)

    def step(state, key):
        now = state.timestep
        action, extras, core = agent.act(
            params, key, now.observation, now.is_first, state.core, greedy=False
        )
        environment_state, after = environment.step(state.environment, action)
        # The step across a reset begins the sums anew.
        going_on = ~jnp.asarray(now.is_last)
        episode_return = going_on * (state.episode_return + after.reward)
        episode_length = going_on * (state.episode_length + 1)
        ends = jnp.asarray(after.is_last)
        success = ends & (after.info["outcome"] == 0)
        sums = EpisodeSums(
            episodes=jnp.sum(ends, dtype=jnp.int32),
            successes=jnp.sum(success, dtype=jnp.int32),
            returns=jnp.sum(ends * episode_return),
            lengths=jnp.sum(ends * episode_length, dtype=jnp.int32),
        )
        row = (
            (now.observation, now.is_first, now.is_last),
            (
                action,
                after.reward,
                after.discount,
                extras,
            ),
        )
        state = replace(
            state,
            environment=environment_state,
            timestep=after,
            core=core,
            episode_return=episode_return,
            episode_length=episode_length,
        )
        return state, (row, sums)

    core = state.core
    keys = jax.random.split(key, data_of(agent).unroll_length)
    state, ((shown, (action, reward, discount, extras)), sums) = jax.lax.scan(step, state, keys)
    last = (state.timestep.observation, state.timestep.is_first, state.timestep.is_last)
    observation, is_first, is_last = jax.tree.map(
        lambda rows, row: jnp.concatenate([rows, row[None]]), shown, last
    )
    unroll = Unroll(observation, is_first, is_last, action, reward, discount, extras, core)
    return state, unroll, jax.tree.map(lambda x: jnp.sum(x, axis=0), sums)


def shardings(agent: Agent, environment: BatchedEnvironment) -> DeviceState:
    """Where each part of a `DeviceState` lives: a state with shardings for leaves.

    Raises UserError if the environments cannot be split evenly over the devices.
    """
    devices = jax.devices()
    data = data_of(agent)
    per_update = data.environments // data.minibatches
    if per_update % len(devices):
        raise UserError(
            f"a minibatch of {per_update} environments cannot be split over {len(devices)} "
            f"devices: set agent.environments to a multiple of "
            f"{len(devices) * data.minibatches}"
        )
    mesh = Mesh(np.array(devices), ("data",))
    replicated = NamedSharding(mesh, PartitionSpec())
    split = NamedSharding(mesh, PartitionSpec("data"))
    shapes = jax.eval_shape(lambda key: init(agent, environment, key), jax.random.key(0))
    return replace(
        jax.tree.map(lambda _: split, shapes),
        agent=jax.tree.map(lambda _: replicated, shapes.agent),
        key=replicated,
    )
