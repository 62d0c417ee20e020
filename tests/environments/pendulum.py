"""A tiny embedding for tests: a pendulum to be swung up, with faults on demand."""

import threading
from typing import Any

import mujoco
import numpy as np

from environments.embedded.base import Embedding, Progress, View
from environments.embedded.environment import EmbeddedEnvironment
from environments.embedded.simulation import Simulation

XML = """
<mujoco>
  <option timestep="0.005"/>
  <worldbody>
    <light pos="0 0 3"/>
    <camera name="side" pos="0 -3 0" xyaxes="1 0 0 0 0 1"/>
    <body pos="0 0 0">
      <joint name="hinge" type="hinge" axis="0 1 0" damping="0.05"/>
      <geom type="capsule" fromto="0 0 0 0 0 -1" size="0.05" mass="1" rgba="0.9 0.3 0.2 1"/>
    </body>
  </worldbody>
  <actuator><motor joint="hinge" gear="4" ctrlrange="-1 1"/></actuator>
</mujoco>
"""
LEVELS = 7  # angles to start from


class Pendulum(Embedding):
    """Swings; its game is won above the hinge. Its opponent thinks until `may_answer` is set."""

    outcomes = ("up", "unfinished")
    num_levels = LEVELS

    def __init__(self):
        self.simulation = Simulation(mujoco.MjModel.from_xml_string(XML), substeps=4)
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.fault: BaseException | None = None  # raised by the next step
        self.closed = False
        self._swings = 0

    def begin(self, level: int, rng: np.random.Generator) -> None:
        self.simulation.reset()
        self.simulation.data.qpos[0] = level / LEVELS + rng.normal(scale=0.1)
        self.simulation.forward()
        self._swings = 0

    def advance(self, control: np.ndarray, rng: np.random.Generator) -> Progress:
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        self.may_answer.wait()
        self.simulation.advance(control + rng.normal(scale=0.01))
        self._swings += 1
        height = -np.cos(self.simulation.data.qpos[0])
        return Progress(float(height), "up" if height > 0.5 else None)

    def planes(self) -> np.ndarray:
        side = np.zeros((1, 2, 1), bool)
        side[0, int(self.simulation.data.qpos[0] > 0), 0] = True
        return side

    def state(self) -> Any:
        return bool(self.simulation.data.qpos[0] > 0)

    def info(self) -> dict[str, np.ndarray]:
        return {"swings": np.asarray(self._swings, np.int32)}

    def snapshot(self) -> Any:
        return self._swings

    def restore(self, snapshot: Any) -> None:
        self._swings = snapshot

    def close(self) -> None:
        self.closed = True


def pendulum(
    seed: int = 0, *, time_limit: float = 0.6, picture: bool = False
) -> EmbeddedEnvironment:
    """A pendulum of 20 ms control steps."""
    views = {"side": View("side", 16, 24)} if picture else {}
    return EmbeddedEnvironment(Pendulum(), time_limit=time_limit, seed=seed, views=views)
