"""Makes an `Agent` of a recurrent or feed-forward network: acting and the V-trace update."""

from collections.abc import Callable
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import optax

from agents.actor_critic.config import ActorCriticConfig
from agents.actor_critic.losses import LossCosts, actor_critic_loss, auxiliary_loss
from agents.actor_critic.network import Network, NetworkOutput
from agents.actor_critic.parts import Parts
from agents.actor_critic.policies import Categorical, Policy, policy_of
from agents.base import Agent, AgentState, Core, Metrics, OnPolicy, Params, Unroll
from agents.inputs import zeros_like_spec
from agents.schedules import linear
from environments.base import EnvironmentSpec, Observation


def make_actor_critic(
    config: ActorCriticConfig, spec: EnvironmentSpec, network: Network, frames: int
) -> Agent:
    """The agent of `network` under `config`; its learning rate decays over `frames` frames."""
    transformed = hk.without_apply_rng(hk.transform(network.unroll))
    parts = Parts(network.frozen)
    policy = policy_of(spec)
    has_core = bool(jax.tree.leaves(jax.eval_shape(lambda: network.initial_core(1))))
    optimizer = optax.chain(
        optax.clip_by_global_norm(config.clip_norm),
        optax.scale_by_adam(config.adam_b1, config.adam_b2, config.adam_epsilon),
    )

    def init(key: jax.Array) -> AgentState:
        observation = zeros_like_spec(spec.observation, leading=(1, 1))
        is_first, frozen = jnp.ones((1, 1), bool), parts.init(key)
        learnt = transformed.init(key, observation, is_first, network.initial_core(1), **frozen)
        zero = jnp.zeros((), jnp.uint32)
        params = parts.join(learnt, frozen)
        return AgentState(params, optimizer.init(learnt), frames=zero, updates=zero)

    def apply(params, observation, is_first, core) -> tuple[NetworkOutput, Core]:
        learnt, frozen = parts.split(params)
        return transformed.apply(learnt, observation, is_first, core, **frozen)

    def act(params, key, observation, is_first, core, *, greedy: bool):
        first, is_first = jax.tree.map(lambda x: x[None], (observation, is_first))
        output, core = apply(params, first, is_first, core)
        logits = policy.restricted(output.logits[0], observation)
        action, extras = policy.mode(logits) if greedy else policy.sample(key, logits)
        return action, extras | {"log_prob": policy.log_prob(logits, action, extras)}, core

    def predict(params: Params, observation: Observation) -> tuple[jax.Array, jax.Array]:
        first = jax.tree.map(lambda x: x[None], observation)
        batch = jax.tree.leaves(first)[0].shape[1]
        output, _ = apply(params, first, jnp.ones((1, batch), bool), ())
        return policy.restricted(output.logits[0], observation), output.value[0]

    return Agent(
        init=init,
        policy_params=lambda state: state.params,
        initial_core=network.initial_core,
        act=act,
        update=_update(config, network, policy, parts, optimizer, apply, frames),
        data=OnPolicy(config.unroll_length, config.environments, config.minibatches),
        predict=predict if isinstance(policy, Categorical) and not has_core else None,
    )


def _update(
    config: ActorCriticConfig,
    network: Network,
    policy: Policy,
    parts: Parts,
    optimizer: optax.GradientTransformation,
    apply: Callable[..., tuple[NetworkOutput, Core]],
    frames: int,
) -> Callable[[AgentState, Unroll, jax.Array], tuple[AgentState, Metrics]]:
    """`Agent.update`; `apply` is the network with all its parameters."""
    costs = LossCosts(
        config.discount, config.td_lambda, config.value_cost, config.entropy_cost, config.logits_l2
    )

    def loss(learnt: Params, frozen: Params, unroll: Unroll) -> tuple[jax.Array, Metrics]:
        params = parts.join(learnt, frozen)
        output, _ = apply(params, unroll.observation, unroll.is_first, unroll.core)
        value, metrics = actor_critic_loss(policy, output.logits, output.value, unroll, costs)
        beside, means = auxiliary_loss(output.auxiliary, unroll.is_last, network.auxiliary_costs)
        weights = config.head_weights_l2 * _head_weights(learnt)
        return value + beside + weights, metrics | means

    def update(state: AgentState, unroll: Unroll, key: jax.Array) -> tuple[AgentState, Metrics]:
        del key
        learnt, frozen = parts.split(state.params)
        gradient, metrics = jax.grad(loss, has_aux=True)(learnt, frozen, unroll)
        direction, optimizer_state = optimizer.update(gradient, state.optimizer, learnt)
        rate = linear(config.learning_rate, config.final_learning_rate, state.frames, frames)
        learnt = jax.tree.map(lambda p, d: p - rate * d, learnt, direction)
        params = parts.join(learnt, frozen)
        seen = jnp.sum(~unroll.is_last[:-1]).astype(jnp.uint32)
        state = AgentState(params, optimizer_state, state.frames + seen, state.updates + 1)
        metrics |= {"grad_norm": optax.tree.norm(gradient), "learning_rate": rate}
        return state, metrics

    return update


def _head_weights(params: Any) -> jax.Array:
    """The sum of squares of the heads' weights, biases left out."""
    weights = [module["w"] for name, module in params.items() if "heads/" in name]
    return jnp.sum(jnp.stack([jnp.sum(jnp.square(w)) for w in weights]))
