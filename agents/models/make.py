"""Makes an environment model of its configuration: learned, perfect or copy."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from agents.inputs import num_actions
from agents.models import minipacman, sokoban
from agents.models.base import EnvironmentModel, Imagined, Transitions
from agents.models.chance import draw_kinds
from agents.models.config import ModelConfig
from agents.models.frames import Frames
from agents.models.losses import model_loss
from agents.models.networks import model_network
from environments.base import EnvironmentSpec
from environments.errors import UserError

# For each game, how its frames are read, by the observation's key; the first one there is is used.
_FRAMES: dict[str, dict[str, Callable[[], Frames]]] = {
    "sokoban": {"planes": sokoban.plane_frames, "pixels": sokoban.pixel_frames},
    "minipacman": {"pixels": minipacman.pixel_frames},
}
# The rules: (frame, action) -> Imagined, by game and key.
_RULES: dict[tuple[str, str], Callable[[Any, Any], Imagined]] = {
    ("sokoban", "planes"): sokoban.step,
}


def make_model(config: ModelConfig, spec: EnvironmentSpec) -> EnvironmentModel:
    """The model of environments of `spec`.

    Raises UserError if the environment does not show what the model imagines, or nobody wrote
    down its rules.
    """
    frames = frames_of(config, spec)
    actions = num_actions(spec)
    if config.kind == "perfect":
        return _perfect(config, frames, actions)
    network = model_network(config, frames, spec.observation[frames.key].shape, actions)
    rewards = jnp.asarray(frames.rewards, jnp.float32)

    def learned(params, frame, action, keys) -> Imagined:
        prediction = network.predict(params, frame, action)
        if frames.chance:
            kinds = draw_kinds(keys, prediction.cells, frames.chance)
            return Imagined(frames.decode(kinds), jax.nn.softmax(prediction.reward) @ rewards)
        kinds = jnp.argmax(prediction.cells, axis=-1)
        return Imagined(frames.decode(kinds), rewards[jnp.argmax(prediction.reward, axis=-1)])

    def copy(params, frame, action, keys) -> Imagined:
        del keys
        # Times 0, so that the compiler may not leave out the work of a learned model.
        prediction = network.predict(params, frame, action)
        said = jnp.sum(prediction.cells, axis=(1, 2, 3)) + jnp.sum(prediction.reward, axis=-1)
        return Imagined(frame, jax.lax.stop_gradient(0.0 * said))

    def loss(params, transitions: Transitions):
        prediction = network.predict(params, transitions.frame, transitions.action)
        return model_loss(prediction, transitions, frames)

    if config.kind == "copy":
        return EnvironmentModel(frames.key, actions, network.init, copy)
    return EnvironmentModel(frames.key, actions, network.init, learned, loss)


def frames_of(config: ModelConfig, spec: EnvironmentSpec) -> Frames:
    """How the frames of `config.game` are read; UserError if `spec` does not show them."""
    choices = _FRAMES[config.game]
    for key, make in choices.items():
        if key in spec.observation:
            return make()
    raise UserError(
        f"a model of {config.game} imagines {' or '.join(choices)}; the environment shows "
        f"{', '.join(spec.observation)}: set environment.observations"
    )


def _perfect(config: ModelConfig, frames: Frames, actions: int) -> EnvironmentModel:
    rules = _RULES.get((config.game, frames.key))
    if rules is None:
        known = ", ".join(f"{key} of {game}" for game, key in _RULES)
        raise UserError(
            f"there is no perfect model of {frames.key} of {config.game}: it would have to know "
            f"what they do not show; there is one of {known}"
        )
    return EnvironmentModel(
        *(frames.key, actions, lambda key: {}),
        lambda params, frame, action, keys: rules(frame, action),
    )
