"""The V-trace actor-critic loss over an unroll (IMPALA, Espeholt et al. 2018, 1802.01561).

Shape letters: `T` time, `B` batch, `P` numbers that parametrise the policy.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import chex
import jax
import jax.numpy as jnp

from agents.actor_critic.policies import Policy
from agents.base import Metrics, Unroll
from agents.libraries import rlax


@dataclass(frozen=True)
class LossCosts:
    """Weights of the parts of the loss; see `ActorCriticConfig` for their sources."""

    discount: float
    lambda_: float
    value: float
    entropy: float
    logits_l2: float


def actor_critic_loss(
    policy: Policy, logits: jax.Array, values: jax.Array, unroll: Unroll, costs: LossCosts
) -> tuple[jax.Array, Metrics]:
    """The mean loss per frame, and its parts.

    The step across a reset has importance weight 0: its temporal difference vanishes and none
    flows through it, so that the return of the step before ends at that step's own bootstrap:
    the value of the LAST observation where the episode was cut off, and 0 where it truly ended.

    Args:
      policy: what the logits mean.
      logits: `[T+1, B, P]` float32, of the learner's policy.
      values: `[T+1, B]` float32.
      unroll: the data; `extras["log_prob"]` is the acting policy's, and `extras` has
        whatever else its `sample` gave.
      costs: weights of the parts.

    Returns:
      The loss `[]` and metrics: policy_loss, value_loss, entropy, importance_weight.
    """
    chex.assert_rank([logits, values, unroll.reward], [3, 2, 2])
    chex.assert_equal_shape_prefix([logits, values, unroll.is_last], 2)
    chex.assert_equal_shape_prefix([unroll.action, unroll.reward], 2)
    frame = ~unroll.is_last[:-1]  # [T, B]
    before = {key: each[:-1] for key, each in unroll.observation.items()}
    allowed = policy.restricted(logits[:-1], before)
    log_prob, entropies = policy.log_prob_and_entropy(allowed, unroll.action, unroll.extras)
    rho_tm1 = jnp.where(frame, jnp.exp(log_prob - unroll.extras["log_prob"]), 0.0)
    vtrace = jax.vmap(
        lambda v_tm1, v_t, r_t, discount_t, rho_tm1: rlax.vtrace_td_error_and_advantage(
            v_tm1, v_t, r_t, discount_t, rho_tm1, lambda_=costs.lambda_
        ),
        in_axes=1,
        out_axes=1,
    )
    targets = vtrace(
        values[:-1],
        values[1:],
        unroll.reward,
        costs.discount * unroll.discount,
        jax.lax.stop_gradient(rho_tm1),
    )

    policy_loss = _mean(-jax.lax.stop_gradient(targets.pg_advantage) * log_prob, frame)
    value_loss = _mean(0.5 * jnp.square(targets.errors), frame)
    entropy = _mean(entropies, frame)
    logits_l2 = _mean(policy.penalty(logits[:-1]), frame)
    loss = (
        policy_loss
        + costs.value * value_loss
        - costs.entropy * entropy
        + costs.logits_l2 * logits_l2
    )
    metrics = {
        "policy_loss": policy_loss,
        "value_loss": value_loss,
        "entropy": entropy,
        "importance_weight": _mean(rho_tm1, frame),
    }
    return loss, metrics


def auxiliary_loss(
    losses: Mapping[str, jax.Array], is_last: jax.Array, costs: Mapping[str, float]
) -> tuple[jax.Array, Metrics]:
    """The weighted sum of losses beside the actor-critic's, and the mean per frame of each.

    Args:
      losses: `[T+1, B]` float32 by name; the observation after the last frame does not count.
      is_last: `[T+1, B]`, of the unroll.
      costs: weights by name.
    """
    means = {name: _mean(x[:-1], ~is_last[:-1]) for name, x in losses.items()}
    return sum((costs[name] * x for name, x in means.items()), jnp.float32(0.0)), means


def _mean(x: jax.Array, frame: jax.Array) -> jax.Array:
    """The mean of `x [T, B]` over frames, which the step across a reset is not."""
    return jnp.sum(jnp.where(frame, x, 0.0)) / jnp.maximum(jnp.sum(frame), 1)
