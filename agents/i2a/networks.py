"""The networks of I2A: model-free path, rollout policy, rollout encoder, and how they join.

Racanière, Weber et al. 2017, section 3. Shape letters: `T` time, `B` batch, `A` actions and so
rollouts, `D` steps of a rollout, `N` any number of frames or rollouts, `H, W` board, `C`
channels, `F` features.
"""

import chex
import haiku as hk
import jax
import jax.numpy as jnp

from agents.actor_critic.network import Heads, Network, NetworkOutput
from agents.actor_critic.policies import policy_of
from agents.convolution import Conv
from agents.encoders import hidden_layers, join
from agents.i2a.config import I2AConfig
from agents.i2a.imagination import imagine
from agents.inputs import board_image, board_keys, network_inputs, num_actions
from agents.models.base import EnvironmentModel, Imagined
from environments.base import EnvironmentSpec

DISTILLATION = "distillation_loss"  # its name among the metrics
LEAK = 0.1  # slope below zero in the networks that run in imagination


def i2a_network(
    config: I2AConfig, spec: EnvironmentSpec, environment: EnvironmentModel | None
) -> Network:
    """The network of `config`, whose frozen part `model` holds the environment model's parameters.

    Without a model to imagine with, the same last layers follow the model-free path alone.
    """
    board, keys = board_keys(spec.observation), network_inputs(spec)
    policy, actions = policy_of(spec), num_actions(spec)

    def model_free(observation) -> jax.Array:
        image = board_image(observation, board)
        return model_free_path(config, image.reshape(-1, *image.shape[2:]))

    def output(parts, observation, is_first) -> NetworkOutput:
        features = hidden_layers(jnp.concatenate(parts, axis=-1), (config.hidden,), "joined")
        return Heads(policy)(join(features.reshape(*is_first.shape, -1), observation, keys))

    def unroll_alone(observation, is_first, core) -> tuple[NetworkOutput, tuple]:
        return output([model_free(observation)], observation, is_first), core

    if environment is None:
        return Network(unroll_alone, initial_core=lambda batch: ())

    def unroll(observation, is_first, core, model) -> tuple[NetworkOutput, tuple]:
        rollout_policy = RolloutPolicy(config, actions)
        frame = observation[environment.key]
        frame = frame.reshape(-1, *frame.shape[2:])
        imagined = imagine(environment, model, rollout_policy, frame, config.rollout_length)
        embeddings = RolloutEncoder(config)(imagined)
        parts = [model_free(observation), embeddings.reshape(len(frame), -1)]
        found = output(parts, observation, is_first)
        distillation = cross_entropy(
            policy.restricted(found.logits, observation),
            rollout_policy(frame).reshape(found.logits.shape),
        )
        return NetworkOutput(found.logits, found.value, {DISTILLATION: distillation}), core

    return Network(
        unroll,
        initial_core=lambda batch: (),
        frozen={"model": environment.init},
        auxiliary_costs={DISTILLATION: config.distillation_cost},
    )


def model_free_path(config: I2AConfig, image: jax.Array) -> jax.Array:
    """Convolutions and a layer: `[N, H, W, C]` float32 to `[N, hidden]`."""
    for channels in config.channels:
        image = jax.nn.relu(Conv(channels, config.kernel)(image))
    return hidden_layers(hk.Flatten()(image), (config.hidden,), "model_free")


def cross_entropy(logits: jax.Array, rollout_logits: jax.Array) -> jax.Array:
    """From the policy to the rollout policy, `[..., A]` each, to `[...]` in nats.

    The policy is a target here: no gradient reaches it.
    """
    chex.assert_equal_shape([logits, rollout_logits])
    target = jax.lax.stop_gradient(jax.nn.softmax(logits))
    return -jnp.sum(target * jax.nn.log_softmax(rollout_logits), axis=-1)


class FrameFeatures(hk.Module):
    """Two small convolutions: 3x3, and 4x4 with a stride of 2."""

    def __init__(self, channels: int):
        super().__init__(name="frame")
        self._channels = channels

    def __call__(self, frame: jax.Array) -> jax.Array:
        """Frames `[N, H, W, C]`, as an environment shows them, to `[N, F]`."""
        x = board_image({"frame": frame}, ("frame",))
        x = leaky(Conv(self._channels, 3)(x))
        # On blocks of 2x2 cells with their channels side by side, this reaches over 4x4 cells.
        return hk.Flatten()(leaky(Conv(self._channels, 2)(blocks(x))))


def leaky(x: jax.Array) -> jax.Array:
    """A ReLU that cannot die: while the policy is near uniform, nothing keeps units alive."""
    return jax.nn.leaky_relu(x, LEAK)


def blocks(image: jax.Array) -> jax.Array:
    """Each 2x2 cells as one, `[N, H, W, C]` to `[N, H/2, W/2, 4C]`; zeros beyond odd boards."""
    count, height, width, channels = image.shape
    padded = jnp.pad(image, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)))
    cut = padded.reshape(count, (height + 1) // 2, 2, (width + 1) // 2, 2, channels)
    return jnp.swapaxes(cut, 2, 3).reshape(count, *cut.shape[1:4:2], 4 * channels)


class RolloutPolicy(hk.Module):
    """What acts in imagination: a small model-free network that is taught to act as the agent."""

    def __init__(self, config: I2AConfig, actions: int):
        super().__init__(name="rollout_policy")
        self._config, self._actions = config, actions

    def __call__(self, frame: jax.Array) -> jax.Array:
        """Frames `[N, H, W, C]` to logits `[N, A]`."""
        x = FrameFeatures(self._config.rollout_channels)(frame)
        x = leaky(hk.Linear(self._config.rollout_policy_hidden, name="hidden")(x))
        # It begins uniform, as the policy almost does. With other weights the first thing to be
        # learnt here would be to make all features vanish, and dead ReLUs do not come back.
        return hk.Linear(self._actions, w_init=jnp.zeros, name="logits")(x)


class RolloutEncoder(hk.Module):
    """Reads a rollout from its end to its beginning, so that what is near comes last.

    The features of all frames come from one call; the LSTM alone goes step by step.
    """

    def __init__(self, config: I2AConfig):
        super().__init__(name="rollout_encoder")
        self._config = config

    def __call__(self, rollouts: Imagined) -> jax.Array:
        """Frames `[D, N, H, W, C]` and rewards `[D, N]` to embeddings `[N, encoder_units]`."""
        length, count = rollouts.reward.shape
        frames = rollouts.frame.reshape(length * count, *rollouts.frame.shape[2:])
        features = FrameFeatures(self._config.rollout_channels)(frames)
        inputs = features.reshape(length, count, -1)
        if self._config.imagined_rewards:
            inputs = jnp.concatenate([inputs, rollouts.reward[..., None]], axis=-1)
        lstm = hk.LSTM(self._config.encoder_units)
        _, last = hk.dynamic_unroll(lstm, inputs, lstm.initial_state(count), reverse=True)
        return last.hidden
