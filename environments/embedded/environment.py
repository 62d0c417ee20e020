"""Any embedding as a `dm_env.Environment`, with snapshots."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import dm_env
import numpy as np
from dm_env import specs

from environments.base import EnvironmentSpec
from environments.embedded.actions import ActionCheck
from environments.embedded.base import Embedding, Snapshot, View
from environments.embedded.rendering import Renderer
from environments.embedded.simulation import Simulation

_ZERO, _ONE = np.float32(0), np.float32(1)


class EmbeddedEnvironment(dm_env.Environment):
    """Plays a game through physics: one step is one control step.

    Observation: a flat dict, what the embedding observes and the cameras asked for, each
        `[height, width, 3] uint8`.
    Action: float32 within `action_spec`; within 1e-4 of the range it is clipped, beyond it or
        not a number it raises ValueError before physics sees it.
    Termination: the game ends: LAST with discount 0.
    Truncation: `time_limit` seconds have been played: LAST with discount 1, the last outcome.
    Reset: a level drawn uniformly. Everything random follows from `seed`.

    `info` holds scalars beside the observation; `outcome` is an index into `spec.outcomes`, -1
    until the episode has ended.
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

        Raises UserError if there are views and this machine cannot render.
        """
        self.embedding = embedding
        self._views = dict(views)
        self._renderer = Renderer() if views else None
        self._limit = max(1, round(time_limit / embedding.simulation.control_step))
        self._rng = np.random.default_rng(seed)
        self._action_spec = embedding.action_spec()
        self._checked = ActionCheck(self._action_spec)
        self._steps = 0
        self._level = 0
        self._outcome: str | None = None
        self._started = False

    @property
    def simulation(self) -> Simulation:
        """The physics of the present episode; a reset to a level of other sizes changes it."""
        return self.embedding.simulation

    @property
    def spec(self) -> EnvironmentSpec:
        """What an agent may know of this environment."""
        return EnvironmentSpec(
            self.observation_spec(), self._action_spec, tuple(self.embedding.outcomes)
        )

    @property
    def time_limit(self) -> float:
        """Seconds of simulated time after which an episode is cut off."""
        return self._limit * self.simulation.control_step

    @property
    def num_levels(self) -> int:
        """How many levels there are to start from."""
        return self.embedding.num_levels

    @property
    def level_index(self) -> int:
        """The level that is being played."""
        return self._level

    @property
    def outcome(self) -> str | None:
        """How the episode ended, one of `spec.outcomes`; None until it has."""
        return self._outcome

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

    def reset(self) -> dm_env.TimeStep:
        """Starts an episode on a level drawn at random."""
        return self.reset_to(int(self._rng.integers(self.num_levels)))

    def reset_to(self, level: int) -> dm_env.TimeStep:
        """Starts an episode on `level`. Raises IndexError if there is no such level."""
        if not 0 <= level < self.num_levels:
            raise IndexError(f"there is no level {level}: there are {self.num_levels}")
        self._level, self._steps, self._outcome = level, 0, None
        self._started = False  # unless it begins
        self.embedding.begin(level, self._rng)
        self._started = True
        return dm_env.restart(self._observe())

    def step(self, action: Any) -> dm_env.TimeStep:
        """One control step, or a reset if the episode has ended or none has begun.

        Raises PhysicsError if the engine warns: the episode is lost, the next step is a reset.
        """
        if not self._started or self._outcome is not None:
            return self.reset()
        control = self._checked(action)
        self._started = False  # unless physics succeeds
        progress = self.embedding.advance(control, self._rng)
        self._started = True
        self._steps += 1
        reward = np.float32(progress.reward) if progress.reward else _ZERO
        discount = _ONE
        if progress.outcome is not None:
            self._outcome, discount = progress.outcome, np.float32(progress.truncated)
        elif self._steps >= self._limit:
            self._outcome = self.embedding.outcomes[-1]
        kind = dm_env.StepType.MID if self._outcome is None else dm_env.StepType.LAST
        return dm_env.TimeStep(kind, reward, discount, self._observe())

    def _observe(self) -> dict[str, np.ndarray]:
        observation = self.embedding.observe()
        for key, view in self._views.items():
            observation[key] = self.render(view.camera, view.height, view.width)
        return observation

    def render(self, camera: str, height: int, width: int, *, handsome: bool = False) -> np.ndarray:
        """A picture of the scene, `[height, width, 3] uint8`; see `Renderer.render`."""
        if self._renderer is None:
            self._renderer = Renderer()
        simulation = self.simulation
        return self._renderer.render(
            simulation.model, simulation.data, camera, height, width, handsome=handsome
        )

    def snapshot(self) -> Snapshot:
        """This moment, for `restore` here or in an environment of the same options."""
        return Snapshot(
            physics=self.simulation.state(),
            sensors=self.simulation.data.sensordata.copy(),
            embedding=self.embedding.snapshot(),
            rng=dict(self._rng.bit_generator.state),
            steps=self._steps,
            level=self._level,
            outcome=self._outcome,
            started=self._started,
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Goes back to `snapshot`: all that follows is bit for bit what followed then."""
        self.embedding.restore(snapshot.embedding)
        self.simulation.restore(snapshot.physics, snapshot.sensors)
        self._rng.bit_generator.state = snapshot.rng
        self._steps, self._level = snapshot.steps, snapshot.level
        self._outcome, self._started = snapshot.outcome, snapshot.started

    def observation(self) -> dict[str, np.ndarray]:
        """What the present moment shows, after a restore for example."""
        return self._observe()

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

    def reward_spec(self) -> specs.Array:
        """A float32 scalar."""
        return specs.Array((), np.float32, name="reward")

    def discount_spec(self) -> specs.BoundedArray:
        """A float32 scalar in [0, 1]."""
        return specs.BoundedArray((), np.float32, 0.0, 1.0, name="discount")

    def close(self) -> None:
        """Frees the renderer and the players' processes."""
        self.embedding.close()
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
