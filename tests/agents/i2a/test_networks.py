"""The networks of I2A against plain loops: the encoder's order, what it reads, sizes."""

from dataclasses import replace

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.i2a.config import I2AConfig
from agents.i2a.networks import FrameFeatures, RolloutEncoder, blocks, cross_entropy
from agents.models.base import Imagined
from agents.models.config import ModelConfig
from tests.agents.toy import board_spec, quick_jit, random_observation, randomised

SMALL = I2AConfig(
    rollout_length=2, channels=(3, 5), hidden=6, rollout_channels=2, encoder_units=4,
    rollout_policy_hidden=7,
)  # fmt: skip
LENGTH, COUNT = 4, 3
with_and_without_jit = pytest.mark.parametrize("compiled", [True, False])


def rollouts(seed: int = 0) -> Imagined:
    """Rollouts of noise on boards 3x5."""
    rng = np.random.default_rng(seed)
    return Imagined(
        jnp.asarray(rng.integers(0, 2, (LENGTH, COUNT, 3, 5, 4)), bool),
        jnp.asarray(rng.normal(size=(LENGTH, COUNT)), jnp.float32),
    )


def encoder(config: I2AConfig, compiled: bool = True):
    """The rollout encoder as a function of rollouts, and its parameters, which are noise."""
    transformed = hk.without_apply_rng(hk.transform(lambda x: RolloutEncoder(config)(x)))
    params = randomised(jax.eval_shape(transformed.init, jax.random.key(0), rollouts()), 1)
    apply = quick_jit(transformed.apply) if compiled else transformed.apply
    return lambda x: apply(params, x), params


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_by_loops(inputs, w, b):
    """The last hidden state of an LSTM that reads `inputs [D, N, F]` in the order given."""
    hidden = cell = np.zeros((inputs.shape[1], len(b) // 4))
    for x in inputs:
        i, g, f, o = np.split(np.concatenate([x, hidden], axis=1) @ w + b, 4, axis=1)
        cell = sigmoid(f + 1) * cell + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(cell)
    return hidden


@with_and_without_jit
@pytest.mark.parametrize("rewards", [True, False])
def test_the_encoder_reads_from_the_end_to_the_beginning(rewards, compiled):
    config = replace(SMALL, imagined_rewards=rewards)
    encode, params = encoder(config, compiled)
    imagined = rollouts()
    features = hk.without_apply_rng(hk.transform(lambda x: FrameFeatures(2)(x)))
    weights = {name.split("/", 1)[1]: x for name, x in params.items() if "frame" in name}
    inputs = np.stack([features.apply(weights, frame) for frame in imagined.frame])
    if rewards:
        inputs = np.concatenate([inputs, imagined.reward[..., None]], axis=-1)
    lstm = params["rollout_encoder/lstm/linear"]
    backwards = lstm_by_loops(inputs[::-1], lstm["w"], lstm["b"])
    forwards = lstm_by_loops(inputs, lstm["w"], lstm["b"])
    np.testing.assert_allclose(encode(imagined), backwards, atol=1e-5)
    turned = jax.tree.map(lambda x: x[::-1], imagined)
    np.testing.assert_allclose(encode(turned), forwards, atol=1e-5)
    assert np.abs(backwards - forwards).min() > 1e-4


def test_what_is_imagined_first_is_read_last():
    """With a memory that forgets everything, it is all that counts."""
    transformed = hk.without_apply_rng(hk.transform(lambda x: RolloutEncoder(SMALL)(x)))
    params = randomised(jax.eval_shape(transformed.init, jax.random.key(0), rollouts()), 1)
    lstm = params["rollout_encoder/lstm/linear"]
    units = SMALL.encoder_units
    lstm["b"] = lstm["b"].at[2 * units : 3 * units].set(-1e4)  # the forget gates
    lstm["w"] = lstm["w"].at[-units:].set(0)  # nor does the hidden state go round
    one, other = rollouts(0), rollouts(1)
    mixed = jax.tree.map(lambda x, y: jnp.concatenate([x[:1], y[1:]]), one, other)
    found = [transformed.apply(params, x) for x in (one, mixed, other)]
    np.testing.assert_array_equal(found[0], found[1])
    assert np.all(found[1] != found[2])


def test_without_rewards_the_encoder_does_not_see_them():
    for rewards in (True, False):
        encode, _ = encoder(replace(SMALL, imagined_rewards=rewards))
        imagined = rollouts()
        paid = replace(imagined, reward=imagined.reward + 1)
        assert np.any(encode(imagined) != encode(paid)) == rewards


@with_and_without_jit
def test_cross_entropy_by_hand(compiled):
    # The policy is 1/4, 3/4; the rollout policy 1/2, 1/2, then 3/4, 1/4.
    logits = jnp.log(jnp.array([[1.0, 3.0], [1.0, 3.0]]))
    rollout_logits = jnp.log(jnp.array([[1.0, 1.0], [3.0, 1.0]]))
    function = quick_jit(cross_entropy) if compiled else cross_entropy
    expected = [np.log(2), -np.log(3 / 4) / 4 - 3 * np.log(1 / 4) / 4]
    np.testing.assert_allclose(function(logits, rollout_logits), expected, rtol=1e-6)


def test_cross_entropy_draws_the_rollout_policy_alone():
    logits = jnp.log(jnp.array([[1.0, 3.0]]))
    rollout_logits = jnp.zeros((1, 2))
    to_policy, to_rollout = jax.grad(lambda *x: cross_entropy(*x)[0], argnums=(0, 1))(
        logits, rollout_logits
    )
    np.testing.assert_array_equal(to_policy, jnp.zeros((1, 2)))
    np.testing.assert_allclose(to_rollout, [[1 / 2 - 1 / 4, 1 / 2 - 3 / 4]], atol=1e-6)


def test_blocks_are_two_by_two_cells():
    image = jnp.arange(1, 10, dtype=jnp.float32).reshape(1, 3, 3, 1)
    expected = [[[1, 2, 4, 5], [3, 0, 6, 0]], [[7, 8, 0, 0], [9, 0, 0, 0]]]
    np.testing.assert_array_equal(blocks(image)[0], expected)
    channels = blocks(jnp.stack([image[..., 0], -image[..., 0]], axis=-1))
    np.testing.assert_array_equal(channels[0, 0, 0], [1, -1, 2, -2, 4, -4, 5, -5])


def count(params) -> int:
    return sum(x.size for x in jax.tree.leaves(params))


def shapes(config: I2AConfig, size: int = 7):
    agent = config.make(board_spec("planes", size=size), frames=1)
    return jax.eval_shape(agent.init, jax.random.key(0)).params


def test_parameter_counts():
    """Of every part; on an odd board, whose last blocks are cut."""
    config = replace(SMALL, model=ModelConfig(kind="perfect"))
    frame = (9 * 4 * 2 + 2) + (4 * 8 * 2 + 2)
    features = 4 * 4 * 2
    model_free = (9 * 4 * 3 + 3) + (9 * 3 * 5 + 5) + (49 * 5 * 6 + 6)
    encoder = frame + (features + 1 + 4) * 16 + 16
    rollout_policy = frame + (features * 7 + 7) + (7 * 4 + 4)
    heads = (6 * 4 + 4) + (6 + 1)
    joined = (6 + 4 * 4) * 6 + 6
    assert shapes(config)["model"] == {}
    assert count(shapes(config)) == model_free + encoder + rollout_policy + joined + heads
    assert count(shapes(replace(config, imagined_rewards=False))) == count(shapes(config)) - 16
    control = shapes(replace(config, rollout_length=0))
    assert count(control) == model_free + (6 * 6 + 6) + heads
    assert {name for name in control if "rollout" in name} == set()


def test_the_copy_model_has_the_parameters_of_the_learned_one():
    learned, copy = (
        shapes(replace(SMALL, model=ModelConfig(kind=kind))) for kind in ("learned", "copy")
    )
    assert jax.tree.map(lambda x: x.shape, learned) == jax.tree.map(lambda x: x.shape, copy)
    assert count(learned["model"]) > 1000


def test_a_default_agent_on_seven_by_seven():
    assert count(shapes(I2AConfig())["agent"]) == 1_281_577


def test_features_of_frames_are_those_of_their_numbers():
    """bool and uint8 frames are read as all agents read them."""
    transformed = hk.without_apply_rng(hk.transform(lambda x: FrameFeatures(2)(x)))
    for kind, scale in (("planes", 1.0), ("pixels", 255.0)):
        shown = random_observation(board_spec(kind, size=4), 0, (3,))[kind]
        params = transformed.init(jax.random.key(0), shown)
        numbers = shown.astype(jnp.float32) / scale
        np.testing.assert_allclose(
            transformed.apply(params, shown), transformed.apply(params, numbers), atol=1e-6
        )
