"""Any embedding as an `Environment`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from dm_env import specs

from environments.embedded.base import Embedding, Snapshot, View
from environments.embedded.rendering import Renderer
from environments.embedded.simulation import Simulation
from environments.single import Environment, EnvironmentSpec, Progress


class EmbeddedEnvironment(Environment):
    """Plays a game through physics: one step is one control step.

    Observation: a flat dict, what the embedding observes and the cameras asked for, each
        `[height, width, 3] uint8`.
    Action: float32 within `action_spec`; within 1e-4 of the range it is clipped, beyond it or
        not a number it raises ValueError before physics sees it.
    Termination: the game ends: LAST with discount 0.
    Truncation: `time_limit` seconds have been played: LAST with discount 1, the last outcome.
    Reset: a level drawn uniformly. Everything random follows from `seed`.
    """

    def __init__(
        self,
        embedding: Embedding,
        *,
        time_limit: float,
        seed: int = 0,
        views: Mapping[str, View] = MappingProxyType({}),
    ):
        """`time_limit` in seconds of simulated time.

        A machine that cannot render is found out by the first picture: it raises UserError.
        """
        steps = max(1, round(time_limit / embedding.simulation.control_step))
        super().__init__(seed=seed, time_limit=steps)
        self.embedding = embedding
        self._views = dict(views)
        self._renderer: Renderer | None = None
        self._taken: dict[View, np.ndarray] = {}  # pictures of this moment
        self._closed = False
        self._action_spec = embedding.action_spec()
        embedding.look_through(self._look)

    @property
    def simulation(self) -> Simulation:
        """The physics of the present episode; a reset to a level of other sizes changes it."""
        return self.embedding.simulation

    @property
    def spec(self) -> EnvironmentSpec:
        return EnvironmentSpec(
            self.observation_spec(), self._action_spec, tuple(self.embedding.outcomes)
        )

    @property
    def time_limit(self) -> float:
        """Seconds of simulated time after which an episode is cut off."""
        return self._limit * self.simulation.control_step

    @property
    def steps_per_second(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """So that people see it as fast as it is."""
        return 1 / self.simulation.control_step

    @property
    def num_levels(self) -> int:
        return self.embedding.num_levels

    @property
    def unfinished(self) -> str:
        return self.embedding.outcomes[-1]

    @property
    def state(self) -> Any:
        """The abstract state, as a state of the game's rules: as it is, whatever is seen of it."""
        return self.embedding.innermost.state()

    def planes(self) -> np.ndarray:
        """The abstract state, `[H, W, C] bool`, likewise."""
        return self.embedding.innermost.planes()

    @property
    def info(self) -> dict[str, np.ndarray]:
        """The embedding's scalars, and `outcome`."""
        outcomes = self.embedding.outcomes
        index = -1 if self._outcome is None else outcomes.index(self._outcome)
        return {**self.embedding.info(), "outcome": np.asarray(index, np.int32)}

    def reseed(self, seed: int) -> None:
        super().reseed(seed)
        self.embedding.reseed(seed)

    def begin(self, level: int) -> None:
        self.embedding.begin(level, self._rng)

    def advance(self, action: np.ndarray) -> Progress:
        """One control step. Raises PhysicsError if the engine warns: the next step is a reset."""
        return self.embedding.advance(action, self._rng)

    def observation(self) -> dict[str, np.ndarray]:
        observation = self.embedding.observe()
        for key, view in self._views.items():
            picture = self._taken.pop(view, None)
            if picture is None:
                picture = self.render(view.camera, view.height, view.width)
            observation[key] = picture
        self._taken.clear()
        return observation

    def _look(self, view: View) -> np.ndarray:
        """A picture for the embedding; the observation that follows shows the same one."""
        self._taken[view] = self.render(view.camera, view.height, view.width)
        return self._taken[view]

    def render(self, camera: str, height: int, width: int, *, handsome: bool = False) -> np.ndarray:
        """A picture of the scene, `[height, width, 3] uint8`; see `Renderer.render`."""
        if self._closed:
            raise RuntimeError("the environment is closed")
        if self._renderer is None:
            self._renderer = Renderer()
        simulation = self.simulation
        return self._renderer.render(
            simulation.model, simulation.data, camera, height, width, handsome=handsome
        )

    def picture(self) -> np.ndarray:
        """What the first camera sees, `[480, 480, 3] uint8`."""
        from environments.pictures import PICTURE_SIDE

        return self.render(self.simulation.model.camera(0).name, PICTURE_SIDE, PICTURE_SIDE)

    def snapshot(self) -> Snapshot:
        return Snapshot(
            physics=self.simulation.state(),
            sensors=self.simulation.data.sensordata.copy(),
            embedding=self.embedding.snapshot(),
            rng=dict(self._rng.bit_generator.state),
            steps=self._steps,
            level=self._level,
            outcome=self._outcome,
            started=self._running,
        )

    def restore(self, snapshot: Snapshot) -> None:
        self._taken.clear()
        self.embedding.restore(snapshot.embedding)
        self.simulation.restore(snapshot.physics, snapshot.sensors)
        self._rng.bit_generator.state = snapshot.rng
        self._steps, self._level = snapshot.steps, snapshot.level
        self._outcome, self._running = snapshot.outcome, snapshot.started

    def observation_spec(self) -> dict[str, specs.Array]:
        """One spec for each key of the observation."""
        cameras = {
            key: specs.BoundedArray((view.height, view.width, 3), np.uint8, 0, 255, name=key)
            for key, view in self._views.items()
        }
        return {**self.embedding.observation_spec(), **cameras}

    def action_spec(self) -> specs.BoundedArray:
        """float32, the bounds of the actuators."""
        return self._action_spec

    def close(self) -> None:
        """Frees the renderer and the players' processes."""
        self._closed = True
        self.embedding.close()
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
