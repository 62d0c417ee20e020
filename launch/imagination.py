"""What a run's environment model imagines, to be seen beside what happens."""

from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from PIL import Image, ImageDraw

from agents.models.config import ModelConfig
from agents.models.make import make_model
from environments.pictures import frame_picture

if TYPE_CHECKING:
    from launch.policy import Policy

STEPS = 15  # imagined in a row; then it begins anew, at what is there
_WRONG = (240, 60, 200)


class Imagination:
    """A model's rollout along the actions of an episode, fed its own frames."""

    def __init__(self, policy: "Policy"):
        """`policy`: of a run with a model; see `has_model`."""
        config: Any = policy.experiment.agent
        model = make_model(config.model, policy.spec)
        self._params = policy.params["model"]
        self._step, self.key = jax.jit(model.step), model.key
        self._chance = jax.random.key(0)  # what the model draws with

    def begin(self, frame: np.ndarray) -> None:
        """Begins at a real frame `[H, W, C]`."""
        self._frame, self._real, self._steps, self._reward = frame, frame, 0, 0.0

    def step(self, action: Any, frame: np.ndarray) -> None:
        """Imagines one step further, whereupon `frame` is what is really there."""
        if self._steps == STEPS:
            self.begin(self._real)
        now = np.asarray(self._frame)[None], np.asarray(action, np.int32)[None]
        self._chance, key = jax.random.split(self._chance)
        imagined = jax.device_get(self._step(self._params, *now, key[None]))
        self._frame, self._reward = imagined.frame[0], float(imagined.reward[0])
        self._real, self._steps = frame, self._steps + 1

    def picture(self, side: int) -> np.ndarray:
        """The imagined board, `[side, side, 3] uint8`; cells that are not so have a frame."""
        picture, cell, (left, top) = frame_picture(self._frame, side)
        drawn = Image.fromarray(picture)
        draw = ImageDraw.Draw(drawn)
        for row, column in np.argwhere(np.any(self._frame != self._real, axis=-1)):
            corner = left + column * cell, top + row * cell
            box = (*corner, corner[0] + cell - 1, corner[1] + cell - 1)
            draw.rectangle(box, None, _WRONG, max(2, cell // 12))
        return np.array(drawn)

    @property
    def caption(self) -> str:
        """How far it has imagined, and the reward that it expected."""
        if not self._steps:
            return "beside it: imagined"
        return f"beside it: imagined, {self._steps} ahead, reward {self._reward:.1f}"


def has_model(policy: "Policy") -> bool:
    """Whether the run's agent has an environment model among its parameters."""
    agent, params = policy.experiment.agent, policy.params
    return isinstance(getattr(agent, "model", None), ModelConfig) and "model" in params
