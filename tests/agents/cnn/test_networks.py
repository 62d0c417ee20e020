"""The small convolutional network: its size."""

import jax

from agents.cnn.config import CNNConfig
from tests.agents.toy import board_spec


def test_parameter_count():
    agent = CNNConfig().make(board_spec("pixels"), frames=1)
    params = jax.eval_shape(agent.init, jax.random.key(0)).params
    convolutions = (9 * 3 * 32 + 32) + 2 * (9 * 32 * 32 + 32)
    dense = (100 * 32 * 256 + 256) + (256 * 4 + 4) + (256 + 1)
    assert sum(x.size for x in jax.tree.leaves(params)) == convolutions + dense
