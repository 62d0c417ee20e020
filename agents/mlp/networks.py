"""The multilayer perceptron.

Shape letters: `T` time, `B` batch.
"""

import jax.numpy as jnp

from agents.actor_critic.network import Heads, Network, NetworkOutput
from agents.actor_critic.policies import policy_of
from agents.encoders import camera_features, hidden_layers
from agents.inputs import board_image, network_inputs, vector
from agents.mlp.config import MLPConfig
from environments.base import EnvironmentSpec
from environments.errors import UserError


def mlp_network(config: MLPConfig, spec: EnvironmentSpec) -> Network:
    """Hidden layers on boards, cameras' encodings and vectors; UserError if there are none."""
    keys, policy = network_inputs(spec), policy_of(spec)
    if not (keys.board or keys.cameras or keys.vectors):
        raise UserError("the agent needs an observation; the environment shows nothing")

    def unroll(observation, is_first, core) -> tuple[NetworkOutput, tuple]:
        boards = [board_image(observation, (key,)) for key in keys.board]
        parts = [board.reshape(*is_first.shape, -1) for board in boards]
        parts += camera_features(observation, keys)
        if keys.vectors:
            parts.append(vector(observation, keys.vectors))
        features = hidden_layers(jnp.concatenate(parts, axis=-1), config.hidden, "hidden")
        return Heads(policy)(features), core

    return Network(unroll, initial_core=lambda batch: ())
