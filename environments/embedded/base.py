"""What an embedding is, and the types that its parts share."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from dm_env import specs

from environments import single
from environments.embedded.simulation import Simulation
from environments.errors import UserError

building = threading.Lock()  # of whoever builds a scene
NO_ACTION = -1  # made by physics, when it changes the board as no action of the game does


@dataclass(frozen=True)
class Progress(single.Progress):
    """What one control step has done to the game."""

    # The agent's abstract action or NO_ACTION; None: the board is as it was.
    made: int | None = None


@dataclass(frozen=True)
class Aim:
    """What to do next, in the abstract game and in the scene."""

    action: int  # abstract
    planes: np.ndarray  # [H, W, C] bool, the board after it
    target: np.ndarray  # [3] metres, in the world: where the acting body should go
    ahead: float = 0.0  # metres that it has still to go then


@dataclass(frozen=True)
class View:
    """A camera of the scene that is part of the observation, under a key."""

    camera: str  # its name in the model
    height: int  # pixels
    width: int


class Embedding(ABC):
    """A physical scene whose state maps to a game's abstract state, and whose physics moves it.

    A new kind of embedding subclasses this and says five things: how the scene is built (in
    `__init__`), how it is set to a level, what its planes are, which state of the rules they
    show, and how physics becomes moves. The rest has defaults. `EmbeddedEnvironment` makes an
    environment of it.
    """

    simulation: Simulation  # `begin` and `restore` may replace it
    outcomes: tuple[str, ...]  # the first is success; the last is that of a time limit
    num_levels: int = 1  # 1 for a game that always starts alike
    num_actions: int = 0  # abstract actions of the game, those that experts advise

    def look_through(self, camera: Callable[["View"], np.ndarray]) -> None:  # noqa: B027
        """Gives the embedding what takes pictures: views to `[h, w, 3] uint8` of the present."""

    @property
    def innermost(self) -> "Embedding":
        """The game itself, without what is put around it."""
        return self

    @abstractmethod
    def begin(self, level: int, rng: np.random.Generator) -> None:
        """Sets the scene to the start of `level`; draws what is random there from `rng`."""

    @abstractmethod
    def advance(self, control: np.ndarray, rng: np.random.Generator) -> Progress:
        """Runs physics for one control step under `control`, and makes the moves it amounts to."""

    @abstractmethod
    def planes(self) -> np.ndarray:
        """The abstract state, `[H, W, C] bool`, as read from the scene."""

    @abstractmethod
    def state(self) -> Any:
        """The abstract state as a state of the game's rules, for players."""

    def is_legal(self, action: int) -> bool:
        """Whether the agent may make an abstract action now: by the rules, and in the scene."""
        del action
        return True

    def aim(self, action: int) -> np.ndarray:
        """Where the acting body should go to make a legal abstract action now.

        `[3]` float64, metres, in the world. Raises UserError if this embedding takes no hints.
        """
        raise UserError(f"{type(self).__name__} takes no hints: it does not say where to aim")

    def ahead(self, plan: tuple[int, ...]) -> float:
        """Metres that the acting body has still to go when the first action of `plan` is made.

        0 where abstract actions tell no way.
        """
        del plan
        return 0.0

    def settle(self) -> Aim | None:
        """What is left to do where the rules call the game finished, but physics does not.

        Changes with every control step. None if nothing is, or can be done.
        """
        return None

    def body(self) -> tuple[np.ndarray, np.ndarray]:
        """The acting body: its position `[3]` in metres, and its axes as columns `[3, 3]`."""
        raise UserError(f"{type(self).__name__} takes no hints: it does not say what acts")

    def action_spec(self) -> specs.BoundedArray:
        """float32, the bounds of the actuators. Raises UserError if one of them has none."""
        model = self.simulation.model
        if not model.actuator_ctrllimited.all():
            actuator = model.actuator(int(model.actuator_ctrllimited.argmin()))
            name = actuator.name or f"number {actuator.id}"
            raise UserError(
                f'the actuator {name} has no bounds: give it some, such as ctrlrange="-1 1"'
            )
        low, high = model.actuator_ctrlrange.T.astype(np.float32)
        return specs.BoundedArray(low.shape, np.float32, low, high, name="action")

    def observation_spec(self) -> dict[str, specs.Array]:
        """Every key but those of cameras."""
        return {
            key: specs.BoundedArray(value.shape, bool, False, True, name=key)
            if value.dtype == bool
            else specs.Array(value.shape, value.dtype, name=key)
            for key, value in self.observe().items()
        }

    def observe(self) -> dict[str, np.ndarray]:
        """New arrays for every key of `observation_spec`: planes, joint positions, velocities."""
        data = self.simulation.data
        return {
            "planes": self.planes(),
            "joints_pos": data.qpos.astype(np.float32),
            "joints_vel": data.qvel.astype(np.float32),
        }

    def info(self) -> dict[str, np.ndarray]:
        """Scalars beside the observation, the same keys at every step."""
        return {}

    def reseed(self, seed: int) -> None:  # noqa: B027, the default is to do nothing
        """Gives the players seeds that follow from `seed`, the environment's."""

    def snapshot(self) -> Any:
        """All that changes beside the simulation's state and `rng`; immutable and picklable."""
        return None

    def restore(self, snapshot: Any) -> None:  # noqa: B027, the default is to do nothing
        """Goes back to `snapshot`, model fields that were written in place included."""

    def close(self) -> None:  # noqa: B027, likewise
        """Frees the players' processes, if there are any."""


@dataclass(frozen=True)
class Snapshot:
    """A whole environment at one moment; restores bit-exactly, also in one built alike."""

    physics: np.ndarray  # mjSTATE_INTEGRATION
    sensors: np.ndarray
    embedding: Any
    rng: dict[str, Any]
    steps: int
    level: int
    outcome: str | None
    started: bool
