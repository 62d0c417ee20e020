"""MPO: acts by a Gaussian, learns from sequences of a replay with target networks.

Its parameters are `{"policy", "critic", "duals", "targets"}`, of which actors need the first.
Shape letters: `T` time, `B` batch, `N` actions drawn in one state, `K` numbers of an action.
"""

from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from agents.actor_critic.policies import ClippedGaussian, mean_and_log_std, policy_of
from agents.base import Agent, AgentState, Metrics, Params, Replay, Unroll
from agents.mpo.config import MPOConfig
from agents.mpo.losses import (
    Bounds,
    cloning_loss,
    init_duals,
    policy_loss,
    returns,
    weighted_mean,
)
from agents.mpo.networks import make_networks
from environments.base import EnvironmentSpec
from environments.errors import UserError


def make(config: MPOConfig, spec: EnvironmentSpec, frames: int) -> Agent:
    """The agent for environments of `spec`; nothing it does depends on the budget `frames`.

    Raises UserError if actions are not numbers, or the environment shows nothing.
    """
    del frames
    gaussian = policy_of(spec)
    if not isinstance(gaussian, ClippedGaussian):
        raise UserError(
            "mpo chooses numbers; the environment takes one of a few actions: use drc, resnet, cnn "
            "or mlp"
        )
    networks = make_networks(config.hidden, spec, gaussian)
    bounds = Bounds(config.epsilon, config.epsilon_mean, config.epsilon_std)
    optimizer = _optimizer(config)

    def init(key: jax.Array) -> AgentState:
        learnt: dict[str, Any] = networks.init(key) | {"duals": init_duals(gaussian.size // 2)}
        targets = {name: jax.tree.map(jnp.copy, learnt[name]) for name in ("policy", "critic")}
        zero = jnp.zeros((), jnp.uint32)
        return AgentState(
            learnt | {"targets": targets}, optimizer.init(learnt), frames=zero, updates=zero
        )

    def act(params, key, observation, is_first, core, *, greedy: bool):
        logits = networks.policy(params["policy"], jax.tree.map(lambda x: x[None], observation))[0]
        mean, log_std = mean_and_log_std(logits)
        sample = mean
        if not greedy:
            part = jnp.linspace(1.0, config.least_exploration, len(mean))[:, None]
            sample += part * jnp.exp(log_std) * jax.random.normal(key, mean.shape)
        return gaussian.action(sample), {"demonstrated": jnp.zeros(is_first.shape, bool)}, core

    def loss(learnt: Params, targets: Params, unroll: Unroll, key: jax.Array):
        observation = jax.tree.map(lambda x: x[:-1], unroll.observation)
        weight = (~unroll.is_last[:-1]).astype(jnp.float32)
        # Of the target policy in every state, valued once: for returns and for the policy alike.
        target_logits = networks.policy(targets["policy"], unroll.observation)
        keys = jax.random.split(key, config.action_samples)
        samples = jax.vmap(lambda key: gaussian.sample(key, target_logits)[1]["sample"])(keys)
        valued = networks.critic(
            targets["critic"], unroll.observation, jnp.clip(samples, -1.0, 1.0)
        )
        goal = returns(unroll, valued.mean(0), config.discount, config.n_step)
        actions = gaussian.normalized(unroll.action)
        value = networks.critic(learnt["critic"], observation, actions[None])[0]
        logits = networks.policy(learnt["policy"], observation)
        improved, parts = policy_loss(
            logits, target_logits[:-1], samples[:, :-1], valued[:, :-1], learnt["duals"], bounds
        )
        mean = partial(weighted_mean, weight=weight)
        shown = weight * unroll.extras["demonstrated"]
        cloned = weighted_mean(cloning_loss(logits, actions), shown)
        errors = 0.5 * jnp.square(value - goal)
        total = mean(errors) + mean(improved) + config.cloning_cost * cloned
        metrics = {name: mean(part) for name, part in parts.items()}
        metrics |= {
            "value_loss": mean(errors),
            "value": mean(value),
            "cloning_loss": cloned,
            "temperature": jax.nn.softplus(learnt["duals"].temperature),
            "std": jnp.mean(jnp.exp(mean_and_log_std(logits)[1])),
        }
        return total, metrics

    def update(state: AgentState, unroll: Unroll, key: jax.Array) -> tuple[AgentState, Metrics]:
        targets = state.params["targets"]
        learnt: Any = {name: state.params[name] for name in ("policy", "critic", "duals")}
        gradient: Any
        gradient, metrics = jax.grad(loss, has_aux=True)(learnt, targets, unroll, key)
        steps, optimizer_state = optimizer.update(gradient, state.optimizer, learnt)
        learnt = optax.apply_updates(learnt, steps)
        updates = state.updates + 1
        targets = optax.periodic_update(
            {name: learnt[name] for name in targets}, targets, updates, config.target_period
        )
        networks_alone = {name: gradient[name] for name in ("policy", "critic")}
        metrics |= {"grad_norm": optax.tree.norm(networks_alone)}
        frames = frames_of(config, updates)
        return AgentState(learnt | {"targets": targets}, optimizer_state, frames, updates), metrics

    return Agent(
        init=init,
        policy_params=lambda state: {"policy": state.params["policy"]},
        begin_with=begin_with,
        initial_core=lambda batch: (),
        act=act,
        update=update,
        data=Replay(
            sequence_length=config.sequence_length,
            period=config.period,
            batch=config.batch,
            capacity=config.capacity,
            min_size=config.min_size,
            samples_per_insert=config.samples_per_insert,
        ),
    )


def begin_with(state: AgentState, params: Params) -> AgentState:
    """A new state with a published policy; critic and duals begin anew."""
    # Copied, since an update gives away the memory of each.
    targets = state.params["targets"] | jax.tree.map(jnp.copy, params)
    return replace(state, params=state.params | params | {"targets": targets})


def frames_of(config: MPOConfig, updates: jax.Array) -> jax.Array:
    """`[] uint32`: frames that were played for so many updates, at the ratio that is set.

    Counted by updates, since each frame is learnt from more than once.
    """
    rate = Fraction(config.batch * config.period) / Fraction(str(config.samples_per_insert))
    rate = rate.limit_denominator(1000)
    whole, part = updates // rate.denominator, updates % rate.denominator
    return (whole * rate.numerator + part * rate.numerator // rate.denominator).astype(jnp.uint32)


def _optimizer(config: MPOConfig) -> optax.GradientTransformation:
    networks = optax.chain(
        optax.clip_by_global_norm(config.clip_norm), optax.adam(config.learning_rate)
    )
    return optax.multi_transform(
        {"networks": networks, "duals": optax.adam(config.dual_learning_rate)},
        {"policy": "networks", "critic": "networks", "duals": "duals"},
    )
