"""Any registered environment as a `gymnasium.Env`, under ids like `moravec/Sokoban-v1`.

import gymnasium
from environments.gymnasium_adapter import register_environments

register_environments()
env = gymnasium.make("moravec/Sokoban-v1", levels="levels.txt", observations=("pixels",))
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
from dm_env import specs
from gymnasium import spaces

from environments import registry


class GymnasiumEnvironment(gymnasium.Env):
    """The environment registered as `name`.

    Observation: the same flat dict, in a Dict space. A LAST with discount 0 is `terminated`,
    with discount 1 `truncated`; `info` then holds the `outcome`, None if it has no name.
    A seed given to `reset` builds the environment anew; without any seed it is random.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(self, name: str, **options: Any):
        """`options` are the fields of the environment's options dataclass.

        Raises UserError for an unknown name or option.
        """
        self._entry = registry.entry(name)
        self._options = registry.make_options(name, **options)
        self._environment = self._build(int(self.np_random.integers(2**31)))
        observation: Any = self._environment.observation_spec()
        action: Any = self._environment.action_spec()
        self.observation_space = spaces.Dict({key: space(observation[key]) for key in observation})
        self.action_space = space(action)

    def _build(self, seed: int):
        return self._entry.single(self._options, seed=seed)

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            self._environment.close()
            self._environment = self._build(seed)
        return self._environment.reset().observation, {}

    def step(self, action: Any) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        time_step = self._environment.step(action)
        terminated = time_step.last() and time_step.discount == 0
        truncated = time_step.last() and time_step.discount != 0
        info = {}
        if time_step.last():
            info["outcome"] = getattr(self._environment, "outcome", None)
        reward = float(time_step.reward)
        return time_step.observation, reward, bool(terminated), bool(truncated), info

    def close(self) -> None:
        self._environment.close()


def space(spec: specs.Array) -> spaces.Space:
    """The Gymnasium space of the values that `spec` allows."""
    if isinstance(spec, specs.DiscreteArray):
        return spaces.Discrete(int(spec.num_values), dtype=spec.dtype)
    low, high = (0, 1) if spec.dtype == bool else (-np.inf, np.inf)
    if isinstance(spec, specs.BoundedArray):
        low, high = (np.broadcast_to(b, spec.shape) for b in (spec.minimum, spec.maximum))
    return spaces.Box(low, high, spec.shape, spec.dtype)


def register_environments() -> list[str]:
    """Registers every environment with Gymnasium; returns the ids."""
    ids = []
    for name, entry in registry.entries().items():
        title = "".join(word.capitalize() for word in name.split("_"))
        ids.append(f"moravec/{title}-v{entry.version}")
        gymnasium.register(ids[-1], f"{__name__}:GymnasiumEnvironment", kwargs={"name": name})
    return ids
