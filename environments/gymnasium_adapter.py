"""Any registered environment as a `gymnasium.Env`, under ids like `moravec/MuJoBan-v1`.

import gymnasium
import environments.gymnasium_adapter

env = gymnasium.make("moravec/MuJoBan-v1", levels="levels.txt", render_mode="rgb_array")

Importing this module registers every environment; Gymnasium imports it by itself for ids that
name it: `gymnasium.make("environments.gymnasium_adapter:moravec/MuJoBan-v1")`.
"""

import operator
from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
from dm_env import specs
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from environments import registry
from environments.actions import checked_action
from environments.errors import PhysicsError, UserError, unknown
from environments.single import Environment

NAMESPACE = "moravec"


class GymnasiumEnvironment(gymnasium.Env):
    """The environment registered as `name`.

    Observation: the same flat dict, in a Dict space; a single number is an array `[1]`, and values
        without bounds have those of their dtype.
    Action: an index, or continuous in [-1, 1]: scaled to the bounds of the environment's own spec.
    End: a LAST with discount 0 is `terminated`, with discount 1 `truncated`.
    Info: scalars at every step; at an end the `outcome`.
    Reset: a seed begins the episode that a new environment of that seed begins; without any seed
        it is random. `options={"level": i}` starts on that level, with the longest time limit.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 5}

    def __init__(self, name: str, render_mode: str | None = None, **options: Any):
        """`options` are the fields of the environment's options dataclass.

        Raises UserError for an unknown name or option, ValueError for an unknown mode.
        """
        modes = (None, *self.metadata["render_modes"])
        if render_mode not in modes:
            raise ValueError(
                f"render_mode of {name} must be one of {', '.join(map(str, modes))}, "
                f"not {render_mode}"
            )
        self.render_mode = render_mode
        self._environment: Environment = registry.load(name, seed=None, **options)
        fps = self._environment.steps_per_second
        self.metadata = {**self.metadata, "render_fps": fps}  # pyright: ignore[reportAttributeAccessIssue]
        self._action = self._environment.action_spec()
        observation = self._environment.observation_spec()
        self.observation_space = spaces.Dict({key: space(observation[key]) for key in observation})
        self.action_space = action_space(self._action)
        self._running = False  # whether an episode is

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Begins an episode. Raises UserError for unknown options, IndexError for such a level."""
        level = _level(options or {})
        super().reset(seed=seed)
        if seed is not None:
            self._environment.reseed(seed)
        environment = self._environment
        first = environment.reset() if level is None else environment.reset_to(level)
        self._running = True
        return _shown(first.observation), self._info()

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
            info["outcome"] = self._environment.outcome
        reward = float(time_step.reward or 0.0)
        return _shown(time_step.observation), reward, bool(terminated), bool(truncated), info

    def _info(self) -> dict[str, Any]:
        scalars = self._environment.info
        return {key: value.item() for key, value in scalars.items() if key != "outcome"}

    def render(self) -> np.ndarray | None:
        """A picture, `[height, width, 3] uint8`, in physics of the first camera.

        None without a `render_mode`.
        """
        return None if self.render_mode is None else self._environment.picture()

    def close(self) -> None:
        self._environment.close()


def _level(options: Mapping[str, Any]) -> int | None:
    """The level that the options of a reset ask for."""
    for option in options:
        if option != "level":
            raise unknown("option of reset", str(option), ["level"])
    level = options.get("level")
    try:
        return None if level is None else operator.index(level)
    except TypeError:
        raise UserError(f"level must be a whole number, not {level!r}") from None


def _shown(observation: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The observation without arrays of no dimension, which other libraries do not expect."""
    return {key: np.atleast_1d(value) for key, value in observation.items()}


def space(spec: specs.Array) -> spaces.Space:
    """The Gymnasium space of the values that `spec` allows; at least of one dimension."""
    if isinstance(spec, specs.DiscreteArray):
        return spaces.Discrete(int(spec.num_values), dtype=spec.dtype)
    if isinstance(spec, specs.BoundedArray):
        low, high = (np.broadcast_to(b, spec.shape) for b in (spec.minimum, spec.maximum))
    elif spec.dtype == bool:
        low, high = 0, 1
    else:
        limits = np.finfo(spec.dtype) if spec.dtype.kind == "f" else np.iinfo(spec.dtype)
        low, high = limits.min, limits.max
    shape = spec.shape or (1,)
    return spaces.Box(np.broadcast_to(low, shape), np.broadcast_to(high, shape), shape, spec.dtype)


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
