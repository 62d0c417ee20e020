"""Distributions over actions against numbers worked out by hand."""

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs

from agents.actor_critic.losses import LossCosts, actor_critic_loss
from agents.actor_critic.policies import (
    MAX_STD,
    MIN_STD,
    Categorical,
    ClippedGaussian,
    policy_of,
)
from environments.errors import UserError
from tests.agents.actor_critic.test_losses import one_environment
from tests.agents.toy import board_spec, quick_jit

GAUSSIAN = ClippedGaussian(low=(-2.0, 0.0), high=(2.0, 1.0), shape=(2,))
LOG_2PI = math.log(2 * math.pi)


def test_gaussian_by_hand():
    # Zeros beyond the mean: a deviation of 1/2. Samples 1/2 and -1 from means 0 and -1/2 are one
    # deviation away each: -1/2 - log(1/2) - log(2 pi)/2, twice.
    logits, sample = jnp.array([0.0, -0.5, 0.0, 0.0]), jnp.array([0.5, -1.0])
    found = GAUSSIAN.log_prob_and_entropy(logits, jnp.zeros(2), {"sample": sample})
    assert found[0] == pytest.approx(-1 + 2 * math.log(2) - LOG_2PI, rel=1e-6)
    assert found[1] == pytest.approx(1 - 2 * math.log(2) + LOG_2PI, rel=1e-6)
    assert GAUSSIAN.penalty(logits) == pytest.approx(0.25)


def test_the_mode_is_in_the_units_of_the_environment_and_within_its_bounds():
    for mean, expected in (((0, 0), (0, 0.5)), ((0.5, -0.5), (1, 0.25)), ((-3, 9), (-2, 1))):
        action, _ = GAUSSIAN.mode(jnp.array([*mean, 0.0, 0.0]))
        np.testing.assert_allclose(action, expected, rtol=1e-6)


@pytest.mark.parametrize("raw", [-1e4, 0.0, 1e4])
def test_samples_stay_within_bounds_and_deviate_as_said(raw):
    logits = jnp.broadcast_to(jnp.array([0.2, 0.0, raw, raw]), (20_000, 4))
    action, extras = GAUSSIAN.sample(jax.random.key(0), logits)
    assert action.dtype == jnp.float32
    assert np.all((action >= jnp.array(GAUSSIAN.low)) & (action <= jnp.array(GAUSSIAN.high)))
    std = {-1e4: MIN_STD, 0.0: 0.5, 1e4: MAX_STD}[raw]
    np.testing.assert_allclose(np.std(extras["sample"], axis=0), std, rtol=0.03)
    np.testing.assert_allclose(np.mean(extras["sample"], axis=0), [0.2, 0], atol=0.05 * std)
    assert np.isfinite(GAUSSIAN.log_prob(logits, action, extras)).all()


@pytest.mark.parametrize("extreme", [-1e4, 1e4])
def test_densities_and_gradients_at_extremes_are_finite(extreme):
    sample = jnp.zeros(2)

    def sums(logits):
        return sum(GAUSSIAN.log_prob_and_entropy(logits, sample, {"sample": sample}))

    for logits in (jnp.array([extreme] * 4), jnp.array([0.0, 0.0, extreme, -extreme])):
        value, gradient = jax.value_and_grad(sums)(logits)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


def test_the_score_is_zero_on_average_and_points_to_the_sample():
    """What a policy gradient rests on; it fails if density and samples are of two policies."""
    logits = jnp.array([0.9, -0.7, 0.5, -0.5])  # a third of the samples beyond a bound
    _, extras = GAUSSIAN.sample(jax.random.key(0), jnp.broadcast_to(logits, (20_000, 4)))

    def log_prob(logits, sample):
        return GAUSSIAN.log_prob(logits, sample, {"sample": sample})

    scores = jax.vmap(jax.grad(log_prob), (None, 0))(logits, extras["sample"])
    np.testing.assert_allclose(np.mean(scores, axis=0), 0, atol=0.05)
    away = extras["sample"] - logits[:2]
    assert np.all(np.sign(scores[:, :2]) == np.sign(away))


@pytest.mark.parametrize("jit", [True, False])
def test_the_loss_of_a_gaussian_by_hand(jit):
    # One number, mean 1/2, deviation 1/2, samples at the mean: log-probability log 2 - log(2 pi)/2.
    # On policy; errors and advantages 5/4 and 1/2, as for the categorical policy.
    policy = ClippedGaussian((-1.0,), (1.0,), (1,))
    log_prob = math.log(2) - LOG_2PI / 2
    unroll = one_environment([0, 0], [1, 1], [1, 1], [log_prob] * 2)
    extras = {**unroll.extras, "sample": jnp.full((2, 1, 1), 0.5)}
    unroll = replace(unroll, action=jnp.full((2, 1, 1), 0.5), extras=extras)
    logits = jnp.broadcast_to(jnp.array([0.5, 0.0]), (3, 1, 2))
    costs = LossCosts(discount=0.5, lambda_=1.0, value=0.5, entropy=0.1, logits_l2=0.2)

    def loss(logits, values, unroll):
        return actor_critic_loss(policy, logits, values, unroll, costs)

    loss = quick_jit(loss) if jit else loss
    value, metrics = loss(logits, jnp.array([[1.0], [2.0], [3.0]]), unroll)
    policy_loss, value_loss = -log_prob * 7 / 8, (25 / 16 + 1 / 4) / 4
    entropy = 0.5 - math.log(2) + LOG_2PI / 2
    assert metrics["importance_weight"] == pytest.approx(1.0, rel=1e-6)
    assert metrics["policy_loss"] == pytest.approx(policy_loss, rel=1e-5)
    assert metrics["entropy"] == pytest.approx(entropy, rel=1e-5)
    expected = policy_loss + value_loss / 2 - 0.1 * entropy + 0.2 * 0.25
    assert value == pytest.approx(expected, rel=1e-5)


def test_the_policy_follows_the_specification():
    spec = board_spec("planes")
    assert policy_of(spec) == Categorical(4)
    joints = specs.BoundedArray((2,), np.float32, (-2.0, 0.0), (2.0, 1.0))
    assert policy_of(replace(spec, action=joints)) == GAUSSIAN


@pytest.mark.parametrize(
    "action",
    [
        specs.Array((9,), np.float32),
        specs.BoundedArray((9,), np.float64, -1.0, 1.0),
        specs.BoundedArray((9,), np.float32, -1.0, np.inf),
    ],
)
def test_actions_without_finite_bounds_are_refused(action):
    with pytest.raises(UserError, match=r"one of a few actions, or float32.*\(9,\)"):
        policy_of(replace(board_spec("planes"), action=action))
