"""Legal actions: what the policy may choose, by hand; what networks and the random agent see."""

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs

from agents.actor_critic.losses import LossCosts, actor_critic_loss
from agents.actor_critic.policies import Categorical, policy_of
from agents.inputs import mask_key, network_inputs
from agents.mlp.config import MLPConfig
from agents.random.agent import make as random_agent
from environments.games.board.spec import board_spec
from tests.agents.actor_critic.test_losses import one_environment
from tests.agents.toy import quick_jit

SPEC = board_spec((3, 3), 9)
MASKED = Categorical(4, mask="legal_actions")
LOGITS = jnp.log(jnp.array([1.0, 2.0, 5.0, 3.0]))

with_and_without_jit = pytest.mark.parametrize("jit", [True, False])


def legal(*rows: str) -> dict[str, jax.Array]:
    """Masks, each as a text of ones and zeros."""
    return {"legal_actions": jnp.array([[c == "1" for c in row] for row in rows])}


@with_and_without_jit
def test_probabilities_are_those_among_legal_actions(jit):
    def found(logits, mask, action):
        return MASKED.log_prob_and_entropy(MASKED.restricted(logits, mask), action, {})

    found = quick_jit(found) if jit else found
    log_prob, entropy = found(LOGITS[None], legal("1010"), jnp.array([2]))
    assert log_prob[0] == pytest.approx(math.log(5 / 6), rel=1e-6)
    assert entropy[0] == pytest.approx(math.log(6) - 5 / 6 * math.log(5), rel=1e-6)
    log_prob, entropy = found(LOGITS[None], legal("0100"), jnp.array([1]))
    assert (float(log_prob[0]), float(entropy[0])) == (0.0, 0.0)


def test_where_nothing_is_legal_all_actions_are_alike():
    restricted = MASKED.restricted(LOGITS[None], legal("0000"))
    log_prob, entropy = MASKED.log_prob_and_entropy(restricted, jnp.array([3]), {})
    assert log_prob[0] == pytest.approx(-math.log(4))
    assert entropy[0] == pytest.approx(math.log(4))


def test_only_legal_actions_are_chosen():
    masks = legal("1010", "1001", "0100")
    restricted = MASKED.restricted(jnp.stack([LOGITS] * 3), masks)
    np.testing.assert_array_equal(MASKED.mode(restricted)[0], [2, 3, 1])
    many = jnp.broadcast_to(restricted, (4000, 3, 4))
    drawn = np.asarray(MASKED.sample(jax.random.key(0), many)[0])
    assert set(drawn[:, 0]) == {0, 2}
    assert np.mean(drawn[:, 0] == 2) == pytest.approx(5 / 6, abs=0.03)
    assert set(drawn[:, 1]) == {0, 3}
    assert set(drawn[:, 2]) == {1}


@with_and_without_jit
def test_the_loss_by_hand(jit):
    # As for two actions of probability 1/2, the third being illegal: the importance weight is 1,
    # and errors and advantages are 5/4 and 1/2. The penalty alone knows the third logit.
    policy = Categorical(3, mask="legal_actions")
    costs = LossCosts(discount=0.5, lambda_=1.0, value=0.5, entropy=0.1, logits_l2=0.2)
    unroll = one_environment([0, 1], [1, 1], [1, 1], [math.log(0.5)] * 2)
    mask = {"legal_actions": jnp.array([[[1, 1, 0]], [[1, 1, 0]], [[0, 0, 0]]], bool)}
    unroll = replace(unroll, observation=mask)

    def loss(logits, values):
        return actor_critic_loss(policy, logits, values, unroll, costs)

    gradient = jax.grad(loss, has_aux=True)
    loss, gradient = (quick_jit(loss), quick_jit(gradient)) if jit else (loss, gradient)
    inputs = jnp.broadcast_to(jnp.array([0.0, 0.0, 7.0]), (3, 1, 3)), jnp.array([[1.0], [2], [3]])
    value, metrics = loss(*inputs)
    policy_loss, value_loss = math.log(2) * 7 / 8, (25 / 16 + 1 / 4) / 4
    assert metrics["importance_weight"] == pytest.approx(1.0, rel=1e-6)
    assert metrics["policy_loss"] == pytest.approx(policy_loss, rel=1e-6)
    assert metrics["entropy"] == pytest.approx(math.log(2), rel=1e-6)
    expected = policy_loss + value_loss / 2 - 0.1 * math.log(2) + 0.2 * 49
    assert value == pytest.approx(expected, rel=1e-6)
    found = np.asarray(gradient(*inputs)[0])[:, 0]
    # Of the mean over two frames: -advantage / 2 times (1/2, -1/2), and the penalty's 2 * 0.2 * 7.
    np.testing.assert_allclose(found[0], [-5 / 16, 5 / 16, 1.4], rtol=1e-5)
    np.testing.assert_allclose(found[1], [1 / 8, -1 / 8, 1.4], rtol=1e-5)
    np.testing.assert_array_equal(found[2], 0)


def test_an_agent_plays_by_the_mask_and_does_not_read_it():
    agent = MLPConfig(hidden=(8,)).make(SPEC, 100)
    params = agent.policy_params(quick_jit(agent.init)(jax.random.key(0)))
    rng = np.random.default_rng(0)
    mask = rng.random((64, 9)) < 0.3
    mask[:, 4] |= ~mask.any(1)
    board = {"planes": rng.random((64, 3, 3, 3)) < 0.5, "player": rng.random((64, 3, 3, 1)) < 0.5}
    act = quick_jit(agent.act, static_argnames="greedy")
    assert agent.predict is not None
    for greedy in (True, False):
        first = jnp.ones(64, bool)
        shown = jax.tree.map(jnp.asarray, {**board, "legal_actions": mask})
        action, extras, _ = act(params, jax.random.key(1), shown, first, (), greedy=greedy)
        assert mask[np.arange(64), np.asarray(action)].all()
        assert (extras["log_prob"] <= 0).all()
        assert (extras["log_prob"] > -20).all()
        logits, value = agent.predict(params, shown)
        assert (np.asarray(jax.nn.softmax(logits))[~mask] == 0).all()
        _, unmasked = agent.predict(params, {**shown, "legal_actions": jnp.ones((64, 9), bool)})
        np.testing.assert_array_equal(value, unmasked)


def test_random_play_is_uniform_among_legal_actions():
    agent = random_agent(SPEC)
    mask = jnp.zeros((3000, 9), bool).at[:, jnp.array([1, 5, 7])].set(True).at[0].set(False)
    shown = {"legal_actions": mask}
    action, extras, _ = agent.act((), jax.random.key(0), shown, mask[:, 0], (), greedy=True)
    counts = np.bincount(np.asarray(action)[1:], minlength=9) / 2999
    np.testing.assert_allclose(counts[[1, 5, 7]], 1 / 3, atol=0.04)
    assert counts.sum() == pytest.approx(counts[[1, 5, 7]].sum())
    assert extras["log_prob"][0] == pytest.approx(-math.log(9))
    assert extras["log_prob"][1] == pytest.approx(-math.log(3))


def test_a_mask_is_no_input_but_legal_moves_of_an_embedded_game_are():
    assert mask_key(SPEC) == "legal_actions"
    assert policy_of(SPEC) == Categorical(9, mask="legal_actions")
    assert network_inputs(SPEC).vectors == ()
    assert network_inputs(SPEC).board == ("planes", "player")
    arm = replace(SPEC, action=specs.BoundedArray((9,), np.float32, -1.0, 1.0))
    assert mask_key(arm) is None
    assert network_inputs(arm).vectors == ("legal_actions",)
