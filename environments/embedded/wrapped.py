"""An embedding around another one: all is the inner one's, but for what a subclass changes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from dm_env import specs

from environments.embedded.base import Aim, Embedding, Progress, View
from environments.embedded.simulation import Simulation


class WrappedEmbedding(Embedding):
    """The embedding `inner`."""

    def __init__(self, inner: Embedding):
        self.inner = inner
        self.outcomes, self.num_levels = inner.outcomes, inner.num_levels
        self.num_actions = inner.num_actions

    def look_through(self, camera: Callable[[View], np.ndarray]) -> None:
        self.inner.look_through(camera)

    @property
    def simulation(self) -> Simulation:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The inner embedding's."""
        return self.inner.simulation

    @property
    def innermost(self) -> Embedding:
        """The game itself."""
        return self.inner.innermost

    def begin(self, level: int, rng: np.random.Generator) -> None:
        self.inner.begin(level, rng)

    def advance(self, control: np.ndarray, rng: np.random.Generator) -> Progress:
        return self.inner.advance(control, rng)

    def planes(self) -> np.ndarray:
        return self.inner.planes()

    def state(self) -> Any:
        return self.inner.state()

    def is_legal(self, action: int) -> bool:
        return self.inner.is_legal(action)

    def aim(self, action: int) -> np.ndarray:
        return self.inner.aim(action)

    def ahead(self, plan: tuple[int, ...]) -> float:
        return self.inner.ahead(plan)

    def settle(self) -> Aim | None:
        return self.inner.settle()

    def body(self) -> tuple[np.ndarray, np.ndarray]:
        return self.inner.body()

    def action_spec(self) -> specs.BoundedArray:
        return self.inner.action_spec()

    def observation_spec(self) -> dict[str, specs.Array]:
        return self.inner.observation_spec()

    def observe(self) -> dict[str, np.ndarray]:
        return self.inner.observe()

    def info(self) -> dict[str, np.ndarray]:
        return self.inner.info()

    def reseed(self, seed: int) -> None:
        self.inner.reseed(seed)

    def close(self) -> None:
        self.inner.close()
