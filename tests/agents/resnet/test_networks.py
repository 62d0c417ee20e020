"""The residual network: its size, and one stage worked out plainly."""

import jax
import jax.numpy as jnp
import numpy as np

from agents.resnet.config import ResNetConfig
from tests.agents.drc.plain import convolve
from tests.agents.toy import board_spec, noise_state, quick_jit, random_observation


def test_parameter_count():
    agent = ResNetConfig().make(board_spec("pixels"), frames=1)
    params = jax.eval_shape(agent.init, jax.random.key(0)).params
    assert sum(x.size for x in jax.tree.leaves(params)) == 3_068_421
    assert sum(name.startswith("conv") for name in params) == 27


def test_a_stage_is_a_convolution_and_two_residual_blocks():
    spec = board_spec("planes", size=4)
    agent = ResNetConfig(stages=(3,), hidden=5).make(spec, frames=1)
    params = noise_state(agent, 0).params
    shown = random_observation(spec, 0, (2,))
    action, extras, _ = quick_jit(agent.act, static_argnames="greedy")(
        params, jax.random.key(0), shown, jnp.zeros(2, bool), (), greedy=True
    )
    x = np.asarray(shown["planes"], np.float64)
    layers = {name: (np.asarray(p["w"]), np.asarray(p["b"])) for name, p in params.items()}
    x = convolve(x, layers["conv"][0]) + layers["conv"][1]
    for name in ("conv_1", "conv_2"):
        x = x + convolve(np.maximum(x, 0), layers[name][0]) + layers[name][1]
    x = np.maximum(x, 0).reshape(2, -1) @ layers["hidden"][0] + layers["hidden"][1]
    logits = np.maximum(x, 0) @ layers["heads/policy"][0] + layers["heads/policy"][1]
    np.testing.assert_array_equal(action, logits.argmax(axis=1))
    expected = logits.max(axis=1) - np.log(np.exp(logits).sum(axis=1))
    np.testing.assert_allclose(extras["log_prob"], expected, atol=1e-5)
