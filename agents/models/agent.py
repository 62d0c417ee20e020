"""The agent that learns an environment model: it plays by a fixed policy, and fits the model.

Its parameters are `{"model": .., "policy": ..}`, of which the model's alone are learnt.
Shape letters: `T` time, `B` environments.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import optax

from agents.base import Agent, AgentState, Metrics, OnPolicy, Unroll
from agents.models.assessment import assess, transitions_of
from agents.models.config import EnvironmentModelConfig
from agents.models.make import make_model
from agents.schedules import linear
from environments.base import EnvironmentSpec


def make(config: EnvironmentModelConfig, spec: EnvironmentSpec, frames: int) -> Agent:
    """The agent for environments of `spec`; its learning rate decays over `frames` frames."""
    model = make_model(config.model, spec)
    policy = config.policy.make(spec, frames)
    optimizer = optax.chain(optax.clip_by_global_norm(config.clip_norm), optax.scale_by_adam())

    def init(key: jax.Array) -> AgentState:
        model_key, policy_key = jax.random.split(key)
        begun = policy.init(policy_key)
        params = {"model": model.init(model_key), "policy": policy.policy_params(begun)}
        zero = jnp.zeros((), jnp.uint32)
        return AgentState(params, optimizer.init(params["model"]), frames=zero, updates=zero)

    def act(params, key, observation, is_first, core, *, greedy: bool):
        act_key, when_key, which_key = jax.random.split(key, 3)
        action, _, core = policy.act(
            params["policy"], act_key, observation, is_first, core, greedy=greedy
        )
        if greedy:
            return action, {}, core
        drawn = jax.random.randint(which_key, action.shape, 0, model.num_actions, action.dtype)
        chance = jax.random.bernoulli(when_key, config.random_actions, action.shape)
        return jnp.where(chance, drawn, action), {}, core

    def update(state: AgentState, unroll: Unroll, key: jax.Array) -> tuple[AgentState, Metrics]:
        del key
        params, transitions = state.params["model"], transitions_of(unroll, model.key)
        assert model.loss is not None  # a learned one
        gradient, metrics = jax.grad(model.loss, has_aux=True)(params, transitions)
        direction, optimizer_state = optimizer.update(gradient, state.optimizer, params)
        rate = linear(config.learning_rate, config.final_learning_rate, state.frames, frames)
        params = jax.tree.map(lambda p, d: p - rate * d, params, direction)
        learnt = jnp.sum(~unroll.is_last[:-1]).astype(jnp.uint32)
        state = replace(
            state,
            params=state.params | {"model": params},
            optimizer=optimizer_state,
            frames=state.frames + learnt,
            updates=state.updates + 1,
        )
        metrics |= {"grad_norm": optax.tree.norm(gradient), "learning_rate": rate}
        return state, metrics

    return Agent(
        init=init,
        policy_params=lambda state: state.params,
        initial_core=policy.initial_core,
        act=act,
        update=update,
        data=OnPolicy(config.unroll_length, config.environments, config.minibatches),
        assess=lambda params, unroll: assess(model, params["model"], unroll),
    )
