"""MPO's policy and critic: perceptrons whose first layer is normalised, on any observation.

Shape letters: `T` time, `B` batch, `N` actions in one state, `K` numbers of an action.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp

from agents.actor_critic.policies import ClippedGaussian
from agents.base import Params
from agents.encoders import camera_features
from agents.inputs import InputKeys, board_image, network_inputs, vector, zeros_like_spec
from environments.base import EnvironmentSpec, Observation
from environments.errors import UserError


@dataclass(frozen=True)
class MPONetworks:
    """Two networks that share nothing, as pure functions."""

    init: Callable[[jax.Array], dict[str, Params]]  # (key) -> {"policy": .., "critic": ..}
    # (params, observation [T, B, ...]) -> what parametrises the Gaussian, [T, B, 2K] float32;
    # means are within -1 and 1
    policy: Callable[[Params, Observation], jax.Array]
    # (params, observation [T, B, ...], actions [N, T, B, K] in -1..1) -> values [N, T, B] float32
    critic: Callable[[Params, Observation, jax.Array], jax.Array]


def make_networks(
    hidden: tuple[int, ...], spec: EnvironmentSpec, gaussian: ClippedGaussian
) -> MPONetworks:
    """Networks of these hidden layers; UserError if the environment shows nothing."""
    keys = network_inputs(spec)
    if not (keys.board or keys.cameras or keys.vectors):
        raise UserError("the agent needs an observation; the environment shows nothing")

    def policy(observation: Observation) -> jax.Array:
        x = _layers(_normalised(hk.Linear(hidden[0])(_inputs(observation, keys))), hidden[1:])
        scale = hk.initializers.VarianceScaling(1e-4)
        mean, std = jnp.split(hk.Linear(gaussian.size, w_init=scale, name="gaussian")(x), 2, -1)
        return jnp.concatenate([jnp.tanh(mean), std], axis=-1)

    def critic(observation: Observation, actions: jax.Array) -> jax.Array:
        # The observation's part of the first layer is the same for all actions in a state.
        seen = hk.Linear(hidden[0], name="observation")(_inputs(observation, keys))
        done = hk.Linear(hidden[0], with_bias=False, name="action")(actions)
        x = _layers(_normalised(seen[None] + done), hidden[1:])
        return hk.Linear(1, w_init=hk.initializers.VarianceScaling(0.01), name="value")(x)[..., 0]

    policy_net, critic_net = (hk.without_apply_rng(hk.transform(f)) for f in (policy, critic))

    def init(key: jax.Array) -> dict[str, Any]:
        policy_key, critic_key = jax.random.split(key)
        observation = zeros_like_spec(spec.observation, leading=(1, 1))
        actions = jnp.zeros((1, 1, 1, gaussian.size // 2))
        return {
            "policy": policy_net.init(policy_key, observation),
            "critic": critic_net.init(critic_key, observation, actions),
        }

    return MPONetworks(init, policy_net.apply, critic_net.apply)


def _inputs(observation: Observation, keys: InputKeys) -> jax.Array:
    """All of an observation, `[T, B, F]`; cameras through convolutions."""
    boards = [board_image(observation, (key,)) for key in keys.board]
    parts = [board.reshape(*board.shape[:2], -1) for board in boards]
    parts += camera_features(observation, keys)
    if keys.vectors:
        parts.append(vector(observation, keys.vectors))
    return jnp.concatenate(parts, axis=-1)


def _normalised(x: jax.Array) -> jax.Array:
    """What follows a first layer: inputs of any scale come to one."""
    return jnp.tanh(hk.LayerNorm(axis=-1, create_scale=True, create_offset=True)(x))


def _layers(x: jax.Array, units: tuple[int, ...]) -> jax.Array:
    for size in units:
        x = jax.nn.elu(hk.Linear(size)(x))
    return x
