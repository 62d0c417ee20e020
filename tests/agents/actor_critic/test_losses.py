"""The V-trace actor-critic loss against numbers worked out by hand, and by plain loops."""

import math
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.actor_critic.losses import LossCosts, actor_critic_loss, auxiliary_loss
from agents.actor_critic.policies import Categorical
from agents.base import Unroll
from tests.agents.toy import quick_jit

COSTS = LossCosts(discount=0.9, lambda_=0.7, value=0.5, entropy=0.02, logits_l2=0.003)


def plainly(logits, values, unroll, costs):
    with jax.disable_jit():
        return actor_critic_loss(Categorical(4), logits, values, unroll, costs)


def compiled(logits, values, unroll, costs):
    return quick_jit(partial(actor_critic_loss, Categorical(4), costs=costs))(
        logits, values, unroll
    )


with_and_without_jit = pytest.mark.parametrize("loss", [compiled, plainly])


def one_environment(action, reward, discount, log_prob, last=()) -> Unroll:
    """An unroll of one environment that is at LAST at the times `last`."""
    steps = len(action)
    is_last = np.isin(np.arange(steps + 1), last)[:, None]

    def column(x):
        return jnp.asarray(x, jnp.float32)[:, None]

    return Unroll(
        observation={},
        is_first=jnp.asarray(np.roll(is_last, 1, axis=0)),
        is_last=jnp.asarray(is_last),
        action=jnp.asarray(action, jnp.int32)[:, None],
        reward=column(reward),
        discount=column(discount),
        extras={"log_prob": column(log_prob)},
        core=(),
    )


@with_and_without_jit
def test_two_steps_by_hand(loss):
    # Two actions of probability 1/2. gamma = 1/2, lambda = 1. Values 1, 2, 3; rewards 1, 1.
    # Errors: 1 + 3/2 - 2 = 1/2; (1 + 2/2 - 1) + 1/2 * 1/2 = 5/4. Advantages: the same.
    costs = LossCosts(discount=0.5, lambda_=1.0, value=0.5, entropy=0.1, logits_l2=0.0)
    unroll = one_environment([0, 1], [1, 1], [1, 1], [math.log(0.5)] * 2)
    value, metrics = loss(jnp.zeros((3, 1, 2)), jnp.array([[1.0], [2.0], [3.0]]), unroll, costs)
    policy_loss = math.log(2) * (5 / 4 + 1 / 2) / 2
    value_loss = (25 / 16 + 1 / 4) / 4
    assert metrics["policy_loss"] == pytest.approx(policy_loss, rel=1e-6)
    assert metrics["value_loss"] == pytest.approx(value_loss, rel=1e-6)
    assert metrics["entropy"] == pytest.approx(math.log(2), rel=1e-6)
    assert metrics["importance_weight"] == pytest.approx(1.0, rel=1e-6)
    assert value == pytest.approx(policy_loss + value_loss / 2 - math.log(2) / 10, rel=1e-6)


@with_and_without_jit
def test_off_policy_by_hand(loss):
    # The actor took the actions with probabilities 1/4 and 1: ratios 2, clipped to 1, and 1/2.
    # Errors: 1/2 * (1 + 3/2 - 2) = 1/4; 1 + 1/2 * 1/4 = 9/8. Returns: 9/4 and 17/8.
    # Advantages: 1/2 * (1 + 3/2 - 2) = 1/4; 1 + 1/2 * 9/4 - 1 = 9/8.
    costs = LossCosts(discount=0.5, lambda_=1.0, value=0.5, entropy=0.0, logits_l2=0.0)
    unroll = one_environment([0, 1], [1, 1], [1, 1], [math.log(0.25), 0.0])
    _, metrics = loss(jnp.zeros((3, 1, 2)), jnp.array([[1.0], [2.0], [3.0]]), unroll, costs)
    assert metrics["policy_loss"] == pytest.approx(math.log(2) * (9 / 8 + 1 / 4) / 2, rel=1e-6)
    assert metrics["value_loss"] == pytest.approx((81 / 64 + 1 / 16) / 4, rel=1e-6)
    assert metrics["importance_weight"] == pytest.approx((2 + 1 / 2) / 2, rel=1e-6)


@with_and_without_jit
@pytest.mark.parametrize("truncated", [True, False])
def test_an_end_in_the_middle_by_hand(loss, truncated):
    # Steps 0 and 1, the second onto LAST; row 2 resets, its reward must not count; step 3.
    # Truncated: the last error is 1 + 3/2 - 2 = 1/2, for the value at LAST is 3; the first
    # (1 + 2/2 - 1) + 1/2 * 1/2 = 5/4. Truly ended: 1 - 2 = -1, and 1 - 1/2 = 1/2.
    # After the reset: 1 + 5/2 - 4 = -1/2.
    costs = LossCosts(discount=0.5, lambda_=1.0, value=0.5, entropy=0.0, logits_l2=0.0)
    discount = [1, 1 if truncated else 0, 1, 1]
    unroll = one_environment([0] * 4, [1, 1, 99, 1], discount, [math.log(0.5)] * 4, last=[2])
    values = jnp.array([[1.0], [2.0], [3.0], [4.0], [5.0]])
    _, metrics = loss(jnp.zeros((5, 1, 2)), values, unroll, costs)
    errors = [5 / 4, 1 / 2, -1 / 2] if truncated else [1 / 2, -1, -1 / 2]
    value_loss = sum(error**2 for error in errors) / 2 / 3
    assert metrics["value_loss"] == pytest.approx(value_loss, rel=1e-6)
    # The advantage of step 0 looks to the return of step 1, which is value + error.
    assert metrics["policy_loss"] == pytest.approx(math.log(2) * sum(errors) / 3, rel=1e-6)


def targets_by_loops(logits, values, unroll, costs):
    """Returns, advantages and importance weights, `[T, B]` float64; NaN across a reset.

    IMPALA's equation 1 and the factor of its policy gradient, environment by environment. As
    usual lambda scales the traces c, and mixes return and value in the advantage's bootstrap.
    """
    targets, advantages, ratios = np.full((3, *unroll.action.shape), np.nan)
    for t, b in reversed(list(np.ndindex(*unroll.action.shape))):
        if unroll.is_last[t, b]:
            continue
        pi = np.exp(logits[t, b]) / np.sum(np.exp(logits[t, b]))
        ratio = pi[unroll.action[t, b]] / math.exp(unroll.extras["log_prob"][t, b])
        rho, trace = min(1.0, ratio), costs.lambda_ * min(1.0, ratio)
        now, after = values[t, b], values[t + 1, b]
        at_end = t + 1 == len(unroll.action) or unroll.is_last[t + 1, b]
        following = after if at_end else targets[t + 1, b]
        reward, gamma = unroll.reward[t, b], costs.discount * unroll.discount[t, b]
        delta = rho * (reward + gamma * after - now)
        targets[t, b] = now + delta + gamma * trace * (following - after)
        bootstrap = costs.lambda_ * following + (1 - costs.lambda_) * after
        advantages[t, b] = rho * (reward + gamma * bootstrap - now)
        ratios[t, b] = ratio
    return targets, advantages, ratios


def loss_by_loops(logits, values, unroll, costs, targets, advantages) -> dict[str, float]:
    """The parts of the loss, and the loss, for targets and advantages that are given."""
    parts = dict.fromkeys(("policy_loss", "value_loss", "entropy", "logits"), 0.0)
    frames = int(np.sum(~unroll.is_last[:-1]))
    for t, b in np.ndindex(*unroll.action.shape):
        if unroll.is_last[t, b]:
            continue
        log_pi = logits[t, b] - math.log(np.sum(np.exp(logits[t, b])))
        parts["policy_loss"] -= advantages[t, b] * log_pi[unroll.action[t, b]] / frames
        parts["value_loss"] += 0.5 * (targets[t, b] - values[t, b]) ** 2 / frames
        parts["entropy"] -= float(np.sum(np.exp(log_pi) * log_pi)) / frames
        parts["logits"] += float(np.sum(logits[t, b] ** 2)) / frames
    total = parts["policy_loss"] + costs.value * parts["value_loss"]
    total += costs.logits_l2 * parts["logits"] - costs.entropy * parts["entropy"]
    return parts | {"loss": total}


def in_float64(*trees):
    """Arrays as NumPy has them, floating ones in double precision."""

    def widen(x):
        return np.asarray(x, np.float64 if x.dtype == jnp.float32 else x.dtype)

    return jax.tree.map(widen, trees)


def random_case(seed: int, time: int = 9, batch: int = 5):
    """Logits, values and an unroll with truncations and true ends at random, off policy."""
    rng = np.random.default_rng(seed)
    is_last = rng.random((time + 1, batch)) < 0.25
    for t in range(time):
        is_last[t + 1] &= ~is_last[t]  # FIRST follows LAST
    is_first = np.roll(is_last, 1, axis=0)
    is_first[0] = False
    ended = is_last[1:] & (rng.random((time, batch)) < 0.5)
    unroll = Unroll(
        observation={},
        is_first=jnp.asarray(is_first),
        is_last=jnp.asarray(is_last),
        action=jnp.asarray(rng.integers(0, 4, (time, batch)), jnp.int32),
        reward=jnp.asarray(rng.normal(size=(time, batch)), jnp.float32),
        discount=jnp.asarray(~ended, jnp.float32),
        extras={"log_prob": jnp.asarray(np.log(rng.uniform(0.05, 0.9, (time, batch))), np.float32)},
        core=(),
    )
    logits = jnp.asarray(rng.normal(size=(time + 1, batch, 4)), jnp.float32)
    values = jnp.asarray(rng.normal(size=(time + 1, batch)), jnp.float32)
    return logits, values, unroll


@with_and_without_jit
@pytest.mark.parametrize("seed", range(3))
def test_the_loss_is_that_of_plain_loops(loss, seed):
    case = random_case(seed)
    ends = np.asarray(case[2].is_last[1:])
    assert ends[:-1].any()
    assert set(np.asarray(case[2].discount)[ends]) == {0.0, 1.0}
    value, metrics = loss(*case, COSTS)
    logits, values, unroll = in_float64(*case)
    targets, advantages, ratios = targets_by_loops(logits, values, unroll, COSTS)
    expected = loss_by_loops(logits, values, unroll, COSTS, targets, advantages)
    for name in ("policy_loss", "value_loss", "entropy"):
        assert metrics[name] == pytest.approx(expected[name], rel=1e-4)
    assert metrics["importance_weight"] == pytest.approx(np.nanmean(ratios), rel=1e-4)
    assert value == pytest.approx(expected["loss"], rel=1e-4)
    assert (ratios > 1).any()
    assert (ratios < 1).any()


def gradients(logits, values, unroll):
    def loss(logits, values):
        return actor_critic_loss(Categorical(4), logits, values, unroll, COSTS)[0]

    return quick_jit(jax.grad(loss, argnums=(0, 1)))(logits, values)


def test_gradients_hold_targets_and_advantages_fixed():
    """Against finite differences of plain loops in which they are constants."""
    case = random_case(0, time=6, batch=2)
    found = in_float64(*gradients(*case))
    logits, values, unroll = in_float64(*case)
    targets, advantages, _ = targets_by_loops(logits, values, unroll, COSTS)

    def slope(array, index):
        kept, losses = array[index], []
        for step in (1e-5, -1e-5):
            array[index] = kept + step
            parts = loss_by_loops(logits, values, unroll, COSTS, targets, advantages)
            losses.append(parts["loss"])
        array[index] = kept
        return (losses[0] - losses[1]) / 2e-5

    logits, values = logits.copy(), values.copy()
    for array, gradient in zip((logits, values), found, strict=True):
        expected = [slope(array, index) for index in np.ndindex(*array.shape)]
        np.testing.assert_allclose(gradient.ravel(), expected, rtol=1e-3, atol=1e-6)


def test_the_step_across_a_reset_has_no_part_in_it():
    """Whatever its action, reward, log-probability and logits are, the rest stays as it is."""
    logits, values, unroll = random_case(1)
    across = unroll.is_last[:-1]
    noise = jnp.asarray(np.random.default_rng(2).normal(size=across.shape) * 50, jnp.float32)
    changed = replace(
        unroll,
        action=jnp.where(across, 3 - unroll.action, unroll.action),
        reward=jnp.where(across, noise, unroll.reward),
        discount=jnp.where(across, 0.5, unroll.discount),
        extras={"log_prob": jnp.where(across, -90.0, unroll.extras["log_prob"])},
    )
    shown = jnp.concatenate([across, jnp.zeros_like(across[:1])])[..., None]
    others = jnp.where(shown, 7.0 * logits + 1.0, logits)
    before, after = (
        compiled(logits, values, unroll, COSTS),
        compiled(others, values, changed, COSTS),
    )
    jax.tree.map(np.testing.assert_array_equal, before, after)
    for gradient in gradients(others, values, changed):
        assert not np.asarray(gradient)[:-1][np.asarray(across)].any()
        assert not np.asarray(gradient)[-1].any()  # the last observation only bootstraps


def test_nothing_leaks_from_the_next_episode():
    """What comes after a reset has no effect on the gradients of the rows before it."""
    logits, values, unroll = random_case(3, time=8, batch=1)
    is_last = jnp.zeros_like(unroll.is_last).at[4].set(True)
    is_first = jnp.zeros_like(unroll.is_last).at[5].set(True)
    unroll = replace(unroll, is_last=is_last, is_first=is_first, discount=unroll.discount * 0 + 1)
    later = replace(
        unroll,
        reward=unroll.reward.at[4:].add(30.0),
        extras={"log_prob": unroll.extras["log_prob"].at[4:].add(-2.0)},
    )
    before = gradients(logits, values, unroll)
    after = gradients(logits.at[5:].add(1.0), values.at[5:].multiply(-9.0), later)
    for x, y in zip(before, after, strict=True):
        np.testing.assert_array_equal(x[:5], y[:5])
        assert np.any(x[5:-1] != y[5:-1])


def test_a_truncation_bootstraps_from_last_and_a_true_end_does_not():
    logits, values, unroll = random_case(3, time=8, batch=1)
    is_last = jnp.zeros_like(unroll.is_last).at[4].set(True)
    unroll = replace(unroll, is_last=is_last, discount=unroll.discount * 0 + 1)
    ended = replace(unroll, discount=unroll.discount.at[3].set(0.0))
    other = values.at[4].add(1.0)
    assert np.any(
        gradients(logits, values, unroll)[1][:4] != gradients(logits, other, unroll)[1][:4]
    )
    for x, y in zip(gradients(logits, values, ended), gradients(logits, other, ended), strict=True):
        np.testing.assert_array_equal(x, y)


def test_an_unroll_of_nothing_but_resets_costs_nothing():
    logits, values, unroll = random_case(0)
    unroll = replace(unroll, is_last=jnp.ones_like(unroll.is_last))
    value, _ = compiled(logits, values, unroll, COSTS)
    assert value == 0
    assert not any(np.any(gradient) for gradient in gradients(logits, values, unroll))


@pytest.mark.parametrize("transform", [jax.jit, lambda function: function])
def test_losses_beside_it_by_hand(transform):
    """Weighed means over frames: neither row 1 of the first environment nor the last row counts."""
    is_last = jnp.array([[False, False], [True, False], [False, False]])
    losses = {
        "one": jnp.array([[1.0, 2.0], [50.0, 6.0], [70.0, 80.0]]),
        "other": jnp.array([[4.0, 4.0], [50.0, 1.0], [70.0, 80.0]]),
    }
    costs = {"one": 0.5, "other": 2.0}
    loss, means = transform(partial(auxiliary_loss, costs=costs))(losses, is_last)
    assert {name: float(x) for name, x in means.items()} == {"one": 3.0, "other": 3.0}
    assert loss == 0.5 * 3 + 2 * 3
    assert auxiliary_loss({}, is_last, {})[0] == 0
