"""MPO's losses against numbers worked out by hand."""

import math
import sys
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from agents.actor_critic.policies import mean_and_log_std
from agents.base import Unroll
from agents.mpo.config import MPOConfig
from agents.mpo.learning import make_optimizer
from agents.mpo.losses import (
    INIT_TEMPERATURE,
    Bounds,
    Duals,
    cloning_loss,
    init_duals,
    policy_loss,
    returns,
    weighted_mean,
)
from tests.agents.toy import quick_jit

# Numbers are compared exactly, so compiled as users do, whatever the tests' flags are.
AS_USERS: dict = {"xla_backend_optimization_level": "3"}
if sys.version_info < (3, 12):  # where the flags are set
    AS_USERS |= {"xla_cpu_use_fusion_emitters": True}

with_and_without_jit = pytest.mark.parametrize("compiled", [True, False])


def calling(function, compiled, *args):
    if compiled:
        return jax.jit(function, compiler_options=AS_USERS)(*args)
    with jax.disable_jit():
        return function(*args)


def unroll(reward, discount, is_last) -> Unroll:
    def column(x, dtype=jnp.float32):
        return jnp.asarray(x, dtype)[:, None]

    last = column(is_last, bool)
    return Unroll(
        {}, last, last, column(reward), column(reward), column(discount), extras={}, core=()
    )


@with_and_without_jit
@pytest.mark.parametrize(
    ("discount", "is_last", "expected"),
    [
        # gamma 1/2, two steps: 1 + 2/2 + 30/4; 2 + 4/2 + 40/4; the last has one step: 4 + 40/2.
        pytest.param([1, 1, 1], [0, 0, 0, 0], [9.5, 14, 24], id="goes on"),
        # It truly ends at the second observation after: nothing comes beyond the reward.
        pytest.param([1, 0, 1], [0, 0, 1, 0], [2, 2, None], id="ends"),
        # It is cut off there: that observation's value of 30.
        pytest.param([1, 1, 1], [0, 0, 1, 0], [9.5, 17, None], id="cut off"),
        # Cut off at the first observation after: its value of 20, whatever comes in the new one.
        pytest.param([1, 1, 1], [0, 1, 0, 0], [11, None, 24], id="cut off at once"),
    ],
)
def test_returns_by_hand(compiled, discount, is_last, expected):
    values = jnp.array([[10.0], [20.0], [30.0], [40.0]])
    given = unroll([1, 2, 4], discount, is_last)
    found = calling(partial(returns, discount=0.5, n_step=2), compiled, given, values)
    for got, wanted in zip(np.asarray(found)[:, 0], expected, strict=True):
        assert wanted is None or got == pytest.approx(wanted)


@with_and_without_jit
def test_the_policy_is_drawn_to_samples_of_high_value(compiled):
    # One number, two samples at -1 and 1 around the target's mean of 0, deviation 1/2. At the
    # temperature of 1, a difference of ln 3 in value weighs them 1/4 and 3/4.
    logits = jnp.zeros((1, 1, 2))
    samples = jnp.array([-1.0, 1.0]).reshape(2, 1, 1, 1)
    values = jnp.array([0.0, math.log(3)]).reshape(2, 1, 1)
    duals, bounds = init_duals(1), Bounds(0.1, 1e-2, 1e-4)

    def total(logits, duals):
        loss, metrics = policy_loss(logits, jnp.zeros_like(logits), samples, values, duals, bounds)
        return loss.sum(), metrics

    (loss, metrics), (by_logits, by_duals) = calling(
        jax.value_and_grad(total, argnums=(0, 1), has_aux=True), compiled, logits, duals
    )
    # d/dmean of -log N = -sum w (x - mean) / var = -(3/4 - 1/4) / (1/4).
    assert by_logits[0, 0, 0] == pytest.approx(-2.0, rel=1e-5)
    # Both samples are two deviations away: d/dlog std of -log N is 1 - 2^2, and log std, between
    # those of 1/10 and 1, rises by s (1 - s) of the range, where s = ln 5 / ln 10.
    slope = math.log(5) * math.log(2) / math.log(10)
    assert by_logits[0, 0, 1] == pytest.approx(-3 * slope, rel=1e-4)
    assert metrics["kl_mean"] == metrics["kl_std"] == 0
    # Samples' log-densities are alike, -2 - log(1/2) - log(2 pi) / 2, and come twice; the
    # temperature's loss is eps + log((1 + 3) / 2); multipliers weigh their bounds.
    density = -2.0 - math.log(0.5) - 0.5 * math.log(2 * math.pi)
    temperature = 0.1 + math.log(2)
    assert loss == pytest.approx(-2 * density + temperature + 10 * 1e-2 + 1000 * 1e-4, rel=1e-5)
    # Within the bounds the multipliers fall: the gradient is the bound times softplus's slope.
    assert by_duals.mean[0] == pytest.approx(1e-2, rel=1e-3)
    assert by_duals.std[0] == pytest.approx(100 * 1e-4, rel=1e-3)
    # Of the temperature: eps + ln 2 less the mean of value / temperature, 3/4 ln 3; and the slope.
    slope = 1 - math.exp(-1)
    by_temperature = slope * (temperature - 0.75 * math.log(3))
    assert by_duals.temperature == pytest.approx(by_temperature, rel=1e-4)


@with_and_without_jit
def test_gradients_are_those_of_the_closed_form(compiled):
    """Of 3 numbers, 5 samples and 2x2 states, away from the target: in float64, by NumPy."""
    rng = np.random.default_rng(0)
    logits, target_logits = rng.normal(0, 0.3, (2, 2, 2, 6)).astype(np.float32)
    samples: Any = rng.normal(0, 0.5, (5, 2, 2, 3)).astype(np.float32)
    values: Any = rng.normal(0, 1, (5, 2, 2)).astype(np.float32)
    multipliers = [rng.uniform(0.5, 20, 3).astype(np.float32) for _ in range(2)]
    of_mean, of_std = multipliers
    duals = Duals(*(jnp.log(jnp.expm1(x)) for x in (0.7, of_mean, of_std / 100)))
    bounds = Bounds(0.1, 0.02, 0.003)

    def total(logits, duals):
        return policy_loss(logits, target_logits, samples, values, duals, bounds)[0].sum()

    by_logits, by_duals = calling(
        jax.grad(total, argnums=(0, 1)), compiled, jnp.asarray(logits), duals
    )
    mean, log_std, by_raw = moments(logits)
    target, target_log_std, _ = moments(target_logits)
    away, apart = samples - target, log_std - target_log_std
    tempered = values.astype(np.float64) / 0.7
    total_weight = np.exp(tempered).sum(0)
    weight = (np.exp(tempered) / total_weight)[..., None]
    var, target_var = np.exp(2 * log_std), np.exp(2 * target_log_std)
    by_mean = (of_mean * (mean - target) - (weight * (samples - mean)).sum(0)) / target_var
    by_log_std = 1 - (weight * away**2).sum(0) / var + of_std * (1 - np.exp(-2 * apart))
    wanted = np.concatenate([by_mean, by_log_std * by_raw], axis=-1)
    np.testing.assert_allclose(by_logits, wanted, rtol=1e-4, atol=1e-5)
    kl_mean = (mean - target) ** 2 / target_var / 2
    kl_std = apart + np.exp(-2 * apart) / 2 - 0.5
    dual = 0.1 + np.log(total_weight / 5) - (weight[..., 0] * tempered).sum(0)
    for found, size, by_size in (
        (by_duals.temperature, np.float64(0.7), dual),
        (by_duals.mean, of_mean, 0.02 - kl_mean),
        (by_duals.std, of_std / 100, 100 * (0.003 - kl_std)),
    ):
        slope = 1 - np.exp(-size)  # of softplus, where it is `size`
        np.testing.assert_allclose(found, slope * by_size.sum((0, 1)), rtol=1e-4)


def moments(logits):
    """Mean, logarithm of the deviation, and that one's slope, in float64."""
    mean, raw = np.split(logits.astype(np.float64), 2, axis=-1)
    least, most = math.log(0.1), math.log(1.0)
    at_zero = (math.log(0.5) - least) / (most - least)
    share = 1 / (1 + np.exp(-raw) * (1 - at_zero) / at_zero)
    return mean, least + (most - least) * share, (most - least) * share * (1 - share)


@with_and_without_jit
def test_divergences_by_hand(compiled):
    # Means 1/4 apart at a deviation of 1/2: 1/2 * (1/2)^2. Deviations as they are.
    logits = jnp.array([0.25, 0.0]).reshape(1, 1, 2)
    samples, values = jnp.zeros((2, 1, 1, 1)), jnp.zeros((2, 1, 1))
    _, metrics = calling(
        partial(policy_loss, bounds=Bounds(0.1, 1e-2, 1e-4)),
        *(compiled, logits, jnp.zeros((1, 1, 2)), samples, values, init_duals(1)),
    )
    assert metrics["kl_mean"][0, 0] == pytest.approx(0.125, rel=1e-5)
    assert metrics["kl_std"][0, 0] == pytest.approx(0.0, abs=1e-6)


def test_mean_and_deviation_move_as_fast_as_their_bounds_let_them():
    """A bandit, with the agent's own optimizer and bounds: the best action is at 0.9."""
    config = MPOConfig()
    bounds = Bounds(config.epsilon, config.epsilon_mean, config.epsilon_std)
    optimizer = make_optimizer(config)
    states, actions = 64, 16

    def update(carry: Any, key):
        learnt, target, state, count = carry
        mean, log_std = mean_and_log_std(target)
        samples = mean + jnp.exp(log_std) * jax.random.normal(key, (actions, 1, states, 1))
        values = -jnp.square(jnp.clip(samples[..., 0], -1, 1) - 0.9)
        wide = partial(jnp.broadcast_to, shape=(1, states, 2))

        def loss(learnt):
            loss, metrics = policy_loss(
                # As a layer after 256 features has it, what is learnt moves more than one weight.
                wide(16 * learnt["policy"]),
                *(wide(target), samples, values, learnt["duals"], bounds),
            )
            return loss.mean(), metrics

        gradient, metrics = jax.grad(loss, has_aux=True)(learnt)
        steps, state = optimizer.update(gradient, state, learnt)
        after: Any = optax.apply_updates(learnt, steps)
        count += 1
        target = jnp.where(count % config.policy_period == 0, 16 * after["policy"], target)
        shown = (metrics["kl_mean"].mean(), metrics["kl_std"].mean(), target)
        return (after, target, state, count), shown

    learnt: Any = {"policy": jnp.zeros(2), "critic": {}, "duals": init_duals(1)}
    carry = learnt, jnp.zeros(2), optimizer.init(learnt), jnp.int32(0)
    keys = jax.random.split(jax.random.key(0), 4000)
    *_, (kl_mean, kl_std, target) = quick_jit(partial(jax.lax.scan, update))(carry, keys)
    mean, log_std = (x[:, 0] for x in mean_and_log_std(target))
    assert mean[1000] > 0.8
    # The deviation narrows once the mean has arrived, and takes all that its bound leaves.
    assert np.exp(log_std[-1]) < 0.4
    assert float(kl_std[2000:].mean()) == pytest.approx(config.epsilon_std, rel=0.3)
    assert kl_mean.max() < 2 * config.epsilon_mean


def test_the_variables_begin_where_they_should():
    duals = init_duals(3)
    assert jax.nn.softplus(duals.temperature) == pytest.approx(INIT_TEMPERATURE)
    np.testing.assert_allclose(jax.nn.softplus(duals.mean), [10.0] * 3, rtol=1e-5)
    np.testing.assert_allclose(100 * jax.nn.softplus(duals.std), [1000.0] * 3, rtol=1e-5)


@with_and_without_jit
def test_cloning_is_a_log_likelihood_summed_over_numbers(compiled):
    # At the target's deviation of 1/2 the actions are 1 and 2 of it away from the means; what the
    # policy itself says of its deviation has no part in it.
    logits = jnp.array([0.5, -0.5, 3.0, -3.0]).reshape(1, 1, 4)
    actions = jnp.array([[[1.0, 0.5]]])

    def loss(logits):
        return cloning_loss(logits, jnp.zeros((1, 1, 4)), actions).sum()

    found, gradient = calling(jax.value_and_grad(loss), compiled, logits)
    normaliser = math.log(0.5) + 0.5 * math.log(2 * math.pi)
    assert found == pytest.approx((1.0 + 4.0) / 2 + 2 * normaliser, rel=1e-5)
    # (mean - action) / var, each number by itself.
    np.testing.assert_allclose(gradient[0, 0], [-2.0, -4.0, 0.0, 0.0], rtol=1e-5)


def test_a_mean_of_nothing_is_nothing():
    assert weighted_mean(jnp.ones((2, 2)), jnp.zeros((2, 2))) == 0
    assert weighted_mean(jnp.array([[1.0, 9.0]]), jnp.array([[1.0, 0.0]])) == 1
