"""MPO's losses against numbers worked out by hand."""

import math
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.base import Unroll
from agents.mpo.losses import (
    INIT_TEMPERATURE,
    Bounds,
    cloning_loss,
    init_duals,
    policy_loss,
    returns,
    weighted_mean,
)

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
    assert metrics["kl_mean"] == metrics["kl_std"] == 0
    # Samples' log-densities are alike, -2 - log(1/2) - log(2 pi) / 2, and come twice; the
    # temperature's loss is eps + log((1 + 3) / 2); multipliers weigh their bounds.
    density = -2.0 - math.log(0.5) - 0.5 * math.log(2 * math.pi)
    temperature = 0.1 + math.log(2)
    assert loss == pytest.approx(-2 * density + temperature + 10 * 1e-2 + 1000 * 1e-4, rel=1e-5)
    # Within the bounds the multipliers fall: the gradient is the bound times softplus's slope.
    assert by_duals.mean[0] == pytest.approx(1e-2, rel=1e-3)


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


def test_the_variables_begin_where_they_should():
    duals = init_duals(3)
    assert jax.nn.softplus(duals.temperature) == pytest.approx(INIT_TEMPERATURE)
    np.testing.assert_allclose(jax.nn.softplus(duals.mean), [10.0] * 3, rtol=1e-5)
    np.testing.assert_allclose(jax.nn.softplus(duals.std), [1000.0] * 3, rtol=1e-5)


@with_and_without_jit
def test_cloning_is_of_the_mean(compiled):
    logits = jnp.array([0.5, -0.5, 3.0, 3.0]).reshape(1, 1, 4)
    loss = calling(cloning_loss, compiled, logits, jnp.array([[[1.0, 0.5]]]))
    assert loss[0, 0] == pytest.approx((0.25 + 1.0) / 4)


def test_a_mean_of_nothing_is_nothing():
    assert weighted_mean(jnp.ones((2, 2)), jnp.zeros((2, 2))) == 0
    assert weighted_mean(jnp.array([[1.0, 9.0]]), jnp.array([[1.0, 0.0]])) == 1
