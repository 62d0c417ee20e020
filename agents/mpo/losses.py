"""The losses of MPO (Abdolmaleki et al. 2018, 1806.06920 and 1812.02256).

Shape letters: `T` time, `B` batch, `N` actions drawn in one state, `K` numbers of an action.
"""

import math
from dataclasses import dataclass

import chex
import jax
import jax.numpy as jnp

from agents.actor_critic.policies import mean_and_log_std
from agents.base import Metrics, Unroll
from agents.libraries import rlax

# Where the temperature and the multipliers of the bounds on mean and deviation begin: the
# temperature in units of returns, of the order of one episode's reward; the others are Acme's.
INIT_TEMPERATURE, INIT_MEAN_MULTIPLIER, INIT_STD_MULTIPLIER = 1.0, 10.0, 1000.0
_LEAST = 1e-8  # of each of them
# The deviation's multiplier is learnt in units of this, so that it comes down as soon as the mean's
# does. In units of 1, as in Acme, that would take Adam 100,000 updates: more than a run here has,
# and the deviation would never move.
_STD_UNIT = 100.0


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Duals:
    """The variables of the bounds, each before its softplus."""

    temperature: jax.Array  # [] float32
    mean: jax.Array  # [K] float32
    std: jax.Array  # [K] float32, of a hundredth of the multiplier


@dataclass(frozen=True)
class Bounds:
    """How far a policy may be from the target policy; see `MPOConfig`."""

    weights: float
    mean: float
    std: float


def init_duals(numbers: int) -> Duals:
    """As learning begins, for actions of `numbers` numbers."""

    def before_softplus(value: float, shape: tuple[int, ...]) -> jax.Array:
        return jnp.full(shape, value + math.log(-math.expm1(-value)), jnp.float32)

    return Duals(
        before_softplus(INIT_TEMPERATURE, ()),
        before_softplus(INIT_MEAN_MULTIPLIER, (numbers,)),
        before_softplus(INIT_STD_MULTIPLIER / _STD_UNIT, (numbers,)),
    )


def returns(unroll: Unroll, values: jax.Array, discount: float, n_step: int) -> jax.Array:
    """`[T, B]`: returns of `n_step` steps, or as many as there are to the end of the sequence.

    Where an episode ends they end with it: with that observation's value if it was cut off, with
    nothing if it truly ended. The row across a reset means nothing.

    Args:
      unroll: the data.
      values: `[T+1, B]` float32, of the observations.
      discount: for each step.
      n_step: at least 1.
    """

    def of_one(reward, discounts, value, going_on):
        # With a lambda of 0 the rest of a return is the value of the observation there.
        return rlax.n_step_bootstrapped_returns(reward, discounts, value, n_step, going_on)

    going_on = (~unroll.is_last[1:]).astype(jnp.float32)
    chex.assert_equal_shape([unroll.reward, going_on, values[1:]])
    found = jax.vmap(of_one, in_axes=1, out_axes=1)(
        unroll.reward, discount * unroll.discount, values[1:], going_on
    )
    return jax.lax.stop_gradient(found)


def policy_loss(
    logits: jax.Array,
    target_logits: jax.Array,
    samples: jax.Array,
    values: jax.Array,
    duals: Duals,
    bounds: Bounds,
) -> tuple[jax.Array, Metrics]:
    """The loss of policy and duals in each state, and its parts.

    Samples of the target policy are weighted by their values at a learnt temperature, and the
    policy is fitted to them; mean and deviation each by itself, the other one being the target's
    (1812.02256, section 3.2), within a bound for each number of an action.

    Args:
      logits: `[T, B, 2K]` of the policy.
      target_logits: `[T, B, 2K]`, of the policy that `samples` were drawn from.
      samples: `[N, T, B, K]` before clipping, in units in which the bounds are -1 and 1.
      values: `[N, T, B]` of the clipped samples.
      duals: variables of the bounds.
      bounds: the bounds.

    Returns:
      The loss `[T, B]`, and metrics `[T, B]`: kl_mean, kl_std, each the mean over `K`.
    """
    chex.assert_rank([logits, target_logits, samples, values], [3, 3, 4, 3])
    mean, log_std = mean_and_log_std(logits)
    target_mean, target_log_std = mean_and_log_std(jax.lax.stop_gradient(target_logits))
    log_probs = _log_prob(samples, mean, target_log_std) + _log_prob(samples, target_mean, log_std)
    kl_mean = 0.5 * jnp.square((mean - target_mean) * jnp.exp(-target_log_std))
    apart = log_std - target_log_std
    kl_std = apart + 0.5 * jnp.exp(-2.0 * apart) - 0.5

    def penalty(multiplier: jax.Array, bound: float):
        return rlax.LagrangePenalty(multiplier, jnp.float32(bound), per_dimension=True)

    loss, _ = rlax.mpo_loss(
        sample_log_probs=log_probs,
        sample_q_values=values,
        temperature_constraint=rlax.LagrangePenalty(duals.temperature, jnp.float32(bounds.weights)),
        kl_constraints=(
            (kl_mean, penalty(duals.mean, bounds.mean)),
            (_STD_UNIT * kl_std, penalty(duals.std, _STD_UNIT * bounds.std)),
        ),
        projection_operator=lambda x: jax.nn.softplus(x) + _LEAST,
    )
    return loss, {"kl_mean": kl_mean.mean(-1), "kl_std": kl_std.mean(-1)}


def cloning_loss(logits: jax.Array, target_logits: jax.Array, actions: jax.Array) -> jax.Array:
    """`[T, B]`: minus the log-likelihood of `actions` `[T, B, K]`, summed over `K`.

    The deviation is the target policy's, as where MPO fits the mean: so both pull at the mean in
    the same units, and cloning does not end exploration by making the deviation small.
    """
    mean, _ = mean_and_log_std(logits)
    _, target_log_std = mean_and_log_std(jax.lax.stop_gradient(target_logits))
    return -_log_prob(actions, mean, target_log_std)


def weighted_mean(x: jax.Array, weight: jax.Array) -> jax.Array:
    """Of `x` where `weight` is 1; 0 if that is nowhere. Both `[T, B]`."""
    return jnp.sum(x * weight) / jnp.maximum(jnp.sum(weight), 1.0)


def _log_prob(samples: jax.Array, mean: jax.Array, log_std: jax.Array) -> jax.Array:
    away = (samples - mean) * jnp.exp(-log_std)
    return jnp.sum(-0.5 * jnp.square(away) - log_std - 0.5 * math.log(2 * math.pi), axis=-1)
