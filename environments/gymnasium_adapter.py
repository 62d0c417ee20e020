"""Any registered environment as a `gymnasium.Env`, under ids like `moravec/MuJoBan-v1`.

import gymnasium
import environments.gymnasium_adapter

env = gymnasium.make("moravec/MuJoBan-v1", levels="levels.txt", render_mode="rgb_array")

Importing this module registers every environment; Gymnasium imports it by itself for ids that
name it: `gymnasium.make("environments.gymnasium_adapter:moravec/MuJoBan-v1")`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
from dm_env import specs
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from environments import registry
from environments.embedded.actions import checked_action
from environments.errors import PhysicsError

NAMESPACE = "moravec"
PICTURE_SIDE = 480  # pixels
_SYMBOLIC_FPS = 5


class GymnasiumEnvironment(gymnasium.Env):
    """The environment registered as `name`.

    Observation: the same flat dict, in a Dict space; values without bounds have those of their
    dtype.
    Action: an index, or continuous in [-1, 1]: scaled to the bounds of the environment's own spec.
    End: a LAST with discount 0 is `terminated`, with discount 1 `truncated`.
    Info: the embedded games' scalars at every step; at an end the `outcome`, None if it has no
        name.
    A seed given to `reset` builds the environment anew; without any seed it is random.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": ["rgb_array"],
        "render_fps": _SYMBOLIC_FPS,
    }

    def __init__(self, name: str, render_mode: str | None = None, **options: Any):
        """`options` are the fields of the environment's options dataclass.

        Raises UserError for an unknown name or option, ValueError for a mode that it has not.
        """
        self._entry = registry.entry(name)
        self._options = registry.make_options(name, **options)
        self._environment = self._build(int(self.np_random.integers(2**31)))
        self._running = False  # whether an episode is
        self.metadata = _metadata(self._environment)  # pyright: ignore[reportAttributeAccessIssue]
        modes = (None, *self.metadata["render_modes"])
        if render_mode not in modes:
            raise ValueError(
                f"render_mode of {name} must be one of {', '.join(map(str, modes))}, "
                f"not {render_mode}"
            )
        self.render_mode = render_mode
        observation: Any = self._environment.observation_spec()
        self._action: Any = self._environment.action_spec()
        self.observation_space = spaces.Dict({key: space(observation[key]) for key in observation})
        self.action_space = action_space(self._action)

    def _build(self, seed: int) -> Any:
        return self._entry.single(self._options, seed=seed)

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            self._environment.close()
            self._environment = self._build(seed)
        self._running = True
        return self._environment.reset().observation, self._info()

    def step(self, action: Any) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        if not self._running:
            raise ResetNeeded("no episode has begun, or it has ended: call reset()")
        try:
            time_step = self._environment.step(scaled(action, self._action))
        except PhysicsError:
            self._running = False
            raise
        self._running = not time_step.last()
        terminated = time_step.last() and time_step.discount == 0
        truncated = time_step.last() and time_step.discount != 0
        info = self._info()
        if time_step.last():
            info["outcome"] = getattr(self._environment, "outcome", None)
        reward = float(time_step.reward)
        return time_step.observation, reward, bool(terminated), bool(truncated), info

    def _info(self) -> dict[str, Any]:
        scalars = getattr(self._environment, "info", {})
        return {key: value.item() for key, value in scalars.items() if key != "outcome"}

    def render(self) -> np.ndarray | None:
        """A picture, `[height, width, 3] uint8`, of the first camera; None without render_mode."""
        if self.render_mode is None:
            return None
        if "embedded" in self._entry.tags:
            camera = self._environment.simulation.model.camera(0).name
            return self._environment.render(camera, PICTURE_SIDE, PICTURE_SIDE)
        return self._environment.picture()

    def close(self) -> None:
        self._environment.close()


def _metadata(environment: Any) -> dict[str, Any]:
    """What Gymnasium is to know of this environment's pictures."""
    if hasattr(environment, "simulation"):
        fps = 1 / environment.simulation.control_step
        return {"render_modes": ["rgb_array"], "render_fps": fps}
    modes = ["rgb_array"] if hasattr(environment, "picture") else []
    return {"render_modes": modes, "render_fps": _SYMBOLIC_FPS}


def space(spec: specs.Array) -> spaces.Space:
    """The Gymnasium space of the values that `spec` allows."""
    if isinstance(spec, specs.DiscreteArray):
        return spaces.Discrete(int(spec.num_values), dtype=spec.dtype)
    if isinstance(spec, specs.BoundedArray):
        low, high = (np.broadcast_to(b, spec.shape) for b in (spec.minimum, spec.maximum))
    elif spec.dtype == bool:
        low, high = 0, 1
    else:
        limits = np.finfo(spec.dtype) if spec.dtype.kind == "f" else np.iinfo(spec.dtype)
        low, high = limits.min, limits.max
    return spaces.Box(low, high, spec.shape, spec.dtype)


def action_space(spec: specs.Array) -> spaces.Space:
    """The Gymnasium space of actions: an index, or [-1, 1] whatever the bounds of `spec`."""
    if isinstance(spec, specs.DiscreteArray):
        return space(spec)
    return spaces.Box(-1.0, 1.0, spec.shape, spec.dtype)


def scaled(action: Any, spec: specs.Array) -> Any:
    """An action of `action_space(spec)` as one within the bounds of `spec`.

    Raises ValueError for a continuous one that is none, up to 1e-4 of the range.
    """
    if not isinstance(spec, specs.BoundedArray) or isinstance(spec, specs.DiscreteArray):
        return action
    unit = checked_action(action, specs.BoundedArray(spec.shape, spec.dtype, -1.0, 1.0))
    middle, half = (spec.maximum + spec.minimum) / 2, (spec.maximum - spec.minimum) / 2
    return (middle + half * unit).astype(spec.dtype)


def register_environments() -> list[str]:
    """Registers every environment with Gymnasium, once; returns the ids."""
    ids = []
    for name, entry in registry.entries().items():
        ids.append(f"{NAMESPACE}/{entry.title}-v{entry.version}")
        if ids[-1] not in gymnasium.registry:
            gymnasium.register(ids[-1], f"{__name__}:GymnasiumEnvironment", kwargs={"name": name})
    return ids


register_environments()
