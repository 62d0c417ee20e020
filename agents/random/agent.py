"""Acts uniformly at random among what is legal, greedy or not: the floor of every comparison."""

import jax
import jax.numpy as jnp
import numpy as np
from dm_env import specs

from agents.actor_critic.policies import bounds
from agents.base import Agent, AgentState, OnPolicy
from agents.inputs import mask_key, num_actions
from environments.base import EnvironmentSpec


def make(spec: EnvironmentSpec) -> Agent:
    """The agent for environments of `spec`; it has no parameters."""
    discrete = isinstance(spec.action, specs.DiscreteArray)
    sample = _discrete(num_actions(spec)) if discrete else _continuous(spec)
    mask = mask_key(spec)

    def init(key: jax.Array) -> AgentState:
        del key
        zero = jnp.zeros((), jnp.uint32)
        return AgentState(params=(), optimizer=(), frames=zero, updates=zero)

    def act(params, key, observation, is_first, core, *, greedy: bool):
        del params, greedy
        if mask is None:
            action, log_prob = sample(key, is_first.shape)
        else:
            action, log_prob = _masked(key, observation[mask])
        return action, {"log_prob": log_prob}, core

    return Agent(
        init=init,
        policy_params=lambda state: (),
        initial_core=lambda batch: (),
        act=act,
        update=lambda state, unroll, key: (state, {}),
        data=OnPolicy(unroll_length=1, environments=1, minibatches=1),
    )


def _discrete(actions: int):
    """From a key and the batch's shape to actions and their log-probabilities."""

    def sample(key, shape):
        action = jax.random.randint(key, shape, 0, actions, jnp.int32)
        return action, jnp.full(shape, -jnp.log(float(actions)))

    return sample


def _masked(key: jax.Array, legal: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Legal actions `[B]` of `[B, A] bool`, or any where none is, and their log-probabilities."""
    allowed = legal | ~jnp.any(legal, axis=-1, keepdims=True)
    action = jax.random.categorical(key, jnp.where(allowed, 0.0, -jnp.inf)).astype(jnp.int32)
    return action, -jnp.log(jnp.sum(allowed, axis=-1).astype(jnp.float32))


def _continuous(spec: EnvironmentSpec):
    """Likewise for float32 vectors within their bounds, with the density's logarithm."""
    low, high = bounds(spec.action)
    log_density = -float(np.sum(np.log(high - low)))

    def sample(key, shape):
        action = jax.random.uniform(key, (*shape, *low.shape), jnp.float32, low, high)
        return action, jnp.full(shape, log_density)

    return sample
