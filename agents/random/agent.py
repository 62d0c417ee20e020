"""Acts uniformly at random, whether greedy or not: the floor of every comparison."""

import jax
import jax.numpy as jnp

from agents.base import Agent, AgentState, OnPolicy
from agents.inputs import num_actions
from environments.base import EnvironmentSpec


def make(spec: EnvironmentSpec) -> Agent:
    """The agent for environments of `spec`; it has no parameters."""
    actions = num_actions(spec)

    def init(key: jax.Array) -> AgentState:
        del key
        zero = jnp.zeros((), jnp.uint32)
        return AgentState(params=(), optimizer=(), frames=zero, updates=zero)

    def act(params, key, observation, is_first, core, *, greedy: bool):
        del params, observation, greedy
        action = jax.random.randint(key, is_first.shape, 0, actions, jnp.int32)
        log_prob = jnp.full(is_first.shape, -jnp.log(float(actions)))
        return action, {"log_prob": log_prob}, core

    return Agent(
        init=init,
        policy_params=lambda state: (),
        initial_core=lambda batch: (),
        act=act,
        update=lambda state, unroll, key: (state, {}),
        data=OnPolicy(unroll_length=1, environments=1, minibatches=1),
    )
