"""What an embedded environment has made physics do, to be done again by the bare engine."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from environments.embedded.engine import mujoco
from environments.embedded.environment import EmbeddedEnvironment

_STATE = mujoco.mjtState.mjSTATE_INTEGRATION


@dataclass(eq=False)
class Segment:
    """Control steps with nothing between them but physics."""

    model: Any  # mujoco.MjModel, as it was
    level: int
    substeps: int  # of a control step
    start: np.ndarray  # mjSTATE_INTEGRATION
    end: np.ndarray
    controls: list[np.ndarray]  # one `[nu]` for each control step


def record(environment: EmbeddedEnvironment, actions: Iterable[np.ndarray]) -> list[Segment]:
    """Plays `actions`, all within one episode, and notes the physics.

    A segment ends where something else than physics sets the state: an arm is put elsewhere.
    Raises RuntimeError if the episode ends.
    """
    simulation = environment.simulation
    segments: list[Segment] = []
    advance = simulation.advance

    def noted(control: np.ndarray) -> None:
        before = simulation.state()
        if not segments or not np.array_equal(before, segments[-1].end):
            model = copy.copy(simulation.model)
            level, substeps = environment.level_index, simulation.substeps
            segments.append(Segment(model, level, substeps, before, before, []))
        advance(control)
        segments[-1].controls.append(control.copy())
        segments[-1].end = simulation.state()

    simulation.advance = noted
    try:
        for action in actions:
            if environment.step(action).last():
                raise RuntimeError("the episode has ended: a trace must be within one")
    finally:
        del simulation.advance  # the class has the method
    return segments


def replay(segments: Iterable[Segment], *pictures: tuple[str, int]) -> Callable[[], None]:
    """A function that runs the segments in a bare loop, and draws `pictures` after every step.

    `pictures` are cameras and sides in pixels, drawn as dm_control does. The function raises
    RuntimeError if physics comes out otherwise than it was recorded.
    """
    from dm_control.mujoco import Physics
    from dm_control.mujoco.wrapper import MjData

    worlds = [(each, mujoco.MjData(each.model)) for each in segments]
    drawing: list[Any] = [Physics(MjData(data)) if pictures else None for _, data in worlds]

    def run() -> None:
        for (segment, data), drawn in zip(worlds, drawing, strict=True):
            model, substeps = segment.model, segment.substeps
            mujoco.mj_setState(model, data, segment.start, _STATE)
            for control in segment.controls:
                data.ctrl[:] = control
                mujoco.mj_step(model, data, substeps)
                for camera, side in pictures:
                    drawn.render(side, side, camera)
            end = np.empty_like(segment.end)
            mujoco.mj_getState(model, data, end, _STATE)
            if not np.array_equal(end, segment.end):
                raise RuntimeError(f"the bare engine plays level {segment.level} otherwise")

    return run
