"""What MPO does with sequences of its replay: the loss, the update, and the frames it counts.

Shape letters: `T` time, `B` batch, `N` actions drawn in one state.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from agents.actor_critic.policies import ClippedGaussian, mean_and_log_std
from agents.base import AgentState, Metrics, Params, Unroll
from agents.mpo.config import MPOConfig
from agents.mpo.losses import Bounds, cloning_loss, policy_loss, returns, weighted_mean
from agents.mpo.networks import MPONetworks


def make_update(
    config: MPOConfig,
    networks: MPONetworks,
    gaussian: ClippedGaussian,
    optimizer: optax.GradientTransformation,
) -> Callable[[AgentState, Unroll, jax.Array], tuple[AgentState, Metrics]]:
    """`Agent.update`; `optimizer` is that of `make_optimizer`."""
    loss = partial(total_loss, config=config, networks=networks, gaussian=gaussian)

    def update(state: AgentState, unroll: Unroll, key: jax.Array) -> tuple[AgentState, Metrics]:
        targets = state.params["targets"]
        learnt: Any = {name: state.params[name] for name in ("policy", "critic", "duals")}
        gradient: Any
        gradient, metrics = jax.grad(loss, has_aux=True)(learnt, targets, unroll, key)
        steps, optimizer_state = optimizer.update(gradient, state.optimizer, learnt)
        learnt = optax.apply_updates(learnt, steps)
        updates = state.updates + 1
        periods = {"policy": config.policy_period, "critic": config.target_period}
        targets = {
            name: optax.periodic_update(learnt[name], targets[name], updates, period)
            for name, period in periods.items()
        }
        networks_alone = {name: gradient[name] for name in ("policy", "critic")}
        metrics |= {"grad_norm": optax.tree.norm(networks_alone)}
        frames = frames_of(config, updates)
        return AgentState(learnt | {"targets": targets}, optimizer_state, frames, updates), metrics

    return update


def total_loss(
    learnt: Params,
    targets: Params,
    unroll: Unroll,
    key: jax.Array,
    *,
    config: MPOConfig,
    networks: MPONetworks,
    gaussian: ClippedGaussian,
) -> tuple[jax.Array, Metrics]:
    """The loss `[]` of policy, critic and duals on sequences, and its metrics.

    `learnt` has these three, `targets` another policy and critic; `key` draws their actions.
    """
    bounds = Bounds(config.epsilon, config.epsilon_mean, config.epsilon_std)
    observation = jax.tree.map(lambda x: x[:-1], unroll.observation)
    weight = (~unroll.is_last[:-1]).astype(jnp.float32)
    # Of the target policy in every state, valued once: for returns and for the policy alike.
    target_logits = networks.policy(targets["policy"], unroll.observation)
    keys = jax.random.split(key, config.action_samples)
    samples = jax.vmap(lambda key: gaussian.sample(key, target_logits)[1]["sample"])(keys)
    valued = networks.critic(targets["critic"], unroll.observation, jnp.clip(samples, -1.0, 1.0))
    goal = returns(unroll, valued.mean(0), config.discount, config.n_step)
    actions = gaussian.normalized(unroll.action)
    value = networks.critic(learnt["critic"], observation, actions[None])[0]
    logits = networks.policy(learnt["policy"], observation)
    improved, parts = policy_loss(
        logits, target_logits[:-1], samples[:, :-1], valued[:, :-1], learnt["duals"], bounds
    )
    # Where another acted the policy follows that, and is not held near the target policy.
    demonstrated = weight * unroll.extras["demonstrated"]
    mean, own = partial(weighted_mean, weight=weight), weight - demonstrated
    cloned = weighted_mean(cloning_loss(logits, target_logits[:-1], actions), demonstrated)
    errors = 0.5 * jnp.square(value - goal)
    total = mean(errors) + weighted_mean(improved, own) + config.cloning_cost * cloned
    metrics = {name: weighted_mean(part, own) for name, part in parts.items()}
    metrics |= {
        "value_loss": mean(errors),
        "value": mean(value),
        "cloning_loss": cloned,
        "temperature": jax.nn.softplus(learnt["duals"].temperature),
        "std": jnp.mean(jnp.exp(mean_and_log_std(logits)[1])),
    }
    return total, metrics


def make_optimizer(config: MPOConfig) -> optax.GradientTransformation:
    """Of what learns: the duals have a rate of their own."""
    networks = optax.chain(
        optax.clip_by_global_norm(config.clip_norm), optax.adam(config.learning_rate)
    )
    return optax.multi_transform(
        {"networks": networks, "duals": optax.adam(config.dual_learning_rate)},
        {"policy": "networks", "critic": "networks", "duals": "duals"},
    )


def frames_of(config: MPOConfig, updates: jax.Array) -> jax.Array:
    """`[] uint32`: frames that were played for so many updates, at the ratio that is set.

    Counted by updates, since each frame is learnt from more than once.
    """
    rate = Fraction(config.batch * config.period) / Fraction(str(config.samples_per_insert))
    rate = rate.limit_denominator(1000)
    whole, part = updates // rate.denominator, updates % rate.denominator
    return (whole * rate.numerator + part * rate.numerator // rate.denominator).astype(jnp.uint32)
