"""Plays levels to their end in batch, greedily or at random, every level once, or in turn."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from agents.base import Agent, Params
from environments.base import BatchedEnvironment


@dataclass(frozen=True)
class Episodes:
    """How the episodes of `E` levels ended, in the order of the levels."""

    outcome: np.ndarray  # [E] int32, index into spec.outcomes
    episode_return: np.ndarray  # [E] float32
    length: np.ndarray  # [E] int32, environment steps


def play(
    agent: Agent,
    params: Params,
    environment: BatchedEnvironment,
    *,
    episodes: int,
    thinking_steps: int = 0,
    batch: int = 256,
    seed: int = 0,
    report: Callable[[int], None] = lambda played: None,
) -> Episodes:
    """Plays the first `episodes` levels of `environment` greedily; after the last, the first.

    Args:
      agent: the agent; its `act` is called.
      params: what it acts with.
      environment: over the level set.
      episodes: how many; a game without a level set, which draws what is random when it starts,
        may be played more often than it has levels.
      thinking_steps: how often the agent sees the first observation before it acts on it; the
        environment does not step meanwhile (Guez et al. 2019, section 4).
      batch: levels played at once; without effect on the results of a deterministic policy.
      seed: for what is random in the environment or the agent.
      report: told, after each batch, how many levels were played.
    """
    batch = min(batch, episodes)
    parts = []
    for begin in range(0, episodes, batch):
        # The last batch is filled up with levels whose results are dropped.
        levels = np.minimum(np.arange(begin, begin + batch), episodes - 1)
        levels = levels % environment.num_levels
        key = jax.random.fold_in(jax.random.key(seed), begin)
        results = _play_batch(
            agent, environment, params, jnp.asarray(levels), key, thinking_steps=thinking_steps
        )
        parts.append([np.asarray(x)[: episodes - begin] for x in results])
        report(min(begin + batch, episodes))
    return Episodes(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@partial(jax.jit, static_argnames=("agent", "thinking_steps"))
def _play_batch(agent, environment, params, levels, key, *, thinking_steps: int):
    start_key, think_key, key = jax.random.split(key, 3)
    state, timestep = environment.start(start_key, levels)
    batch = levels.shape[0]
    core, is_first = agent.initial_core(batch), timestep.is_first

    def think(carry, key):
        core, is_first = carry
        _, _, core = agent.act(params, key, timestep.observation, is_first, core, greedy=True)
        return (core, jnp.zeros_like(is_first)), None

    thoughts = jax.random.split(think_key, thinking_steps)
    (core, is_first), _ = jax.lax.scan(think, (core, is_first), thoughts)

    def unfinished(carry):
        return ~jnp.all(carry["done"])

    def step(carry):
        key, act_key = jax.random.split(carry["key"])
        timestep, done = carry["timestep"], carry["done"]
        action, _, core = agent.act(
            params, act_key, timestep.observation, carry["is_first"], carry["core"], greedy=True
        )
        state, timestep = environment.step(carry["state"], action)
        ends = timestep.is_last & ~done
        return {
            "key": key,
            "state": state,
            "timestep": timestep,
            "core": core,
            "is_first": timestep.is_first,
            "done": done | timestep.is_last,
            "outcome": jnp.where(ends, timestep.info["outcome"], carry["outcome"]),
            "return": carry["return"] + jnp.where(done, 0.0, timestep.reward),
            "length": carry["length"] + ~done,
        }

    carry = {
        "key": key,
        "state": state,
        "timestep": timestep,
        "core": core,
        "is_first": is_first,
        "done": jnp.zeros(batch, bool),
        "outcome": jnp.zeros(batch, jnp.int32),
        "return": jnp.zeros(batch, jnp.float32),
        "length": jnp.zeros(batch, jnp.int32),
    }
    carry = jax.lax.while_loop(unfinished, step, carry)
    return carry["outcome"], carry["return"], carry["length"]
