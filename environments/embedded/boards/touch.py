"""Physics that remembers touch: what every sensor showed at every substep of a control step.

Python sees no substep: one rollout runs the control step and notes the sensors as it goes.
Contacts are not noted; for the rare substep at which a press makes a move, the control step is
run again up to there in a second world. Both give the states of `mj_step`, bit for bit.
"""

from typing import Any

import numpy as np

from environments.embedded.boards.scene import Scene
from environments.embedded.engine import Rollout, mujoco
from environments.embedded.simulation import Simulation

THRESHOLD = 1e-3  # N; a sensor that shows more is pressed
_PHYSICS = mujoco.mjtState.mjSTATE_FULLPHYSICS
_STATE = _PHYSICS.value | mujoco.mjtState.mjSTATE_WARMSTART.value
_CONTROL = mujoco.mjtState.mjSTATE_CTRL.value


class TouchSimulation(Simulation):
    """A simulation of a board scene. `pressures` and `contact` speak of the last `advance`.

    Shape letter: `P` places, as in `Scene`.
    """

    def __init__(self, scene: Scene):
        super().__init__(scene.new_model(), scene.substeps)
        model = self.model
        self._touch, self._geoms, self._fingers = scene.touch, scene.places, scene.fingers
        # The state before the control step: what the rollout starts from, then the warm start.
        physics = mujoco.mj_stateSize(model, _PHYSICS)
        self._start = np.empty(mujoco.mj_stateSize(model, _STATE))
        self._rollout_start = self._start[None, :physics], self._start[None, physics:]
        self._sensors = np.zeros((1, self.substeps, model.nsensordata))
        self._rollout = Rollout(nthread=0).rollout
        self._worlds = [model], [self.data]
        self._control = self.data.ctrl  # a view
        self._replay: Any = None  # made when it is first needed
        self._replayed = 0  # substeps of the last control step that it has run
        self.touched = False  # whether there was a contact, of whatever with whatever

    def advance(self, control: np.ndarray) -> None:
        """One control step under `control`, `[nu]`, held throughout."""
        data = self.data
        mujoco.mj_getState(self.model, data, self._start, _STATE)
        self._control[:] = control
        data.maxuse_con = 0  # the engine keeps the largest number of contacts
        physics, warm_start = self._rollout_start
        self._rollout(
            *self._worlds,
            physics,
            None,  # the controls stay as they are
            control_spec=_CONTROL,
            skip_checks=True,
            nstep=self.substeps,
            initial_warmstart=warm_start,
            sensordata=self._sensors,
        )
        self.touched = data.maxuse_con > 0
        self._replayed = 0
        self._check()
        self.refresh()

    def refresh(self) -> None:
        """As for any simulation; here cameras and lights stand still, and sensors are of forces."""
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_comVel(self.model, self.data)

    @property
    def pressures(self) -> np.ndarray:
        """What every place sensed at every substep, `[substeps, P]` newtons, if `touched`."""
        return self._sensors[0][:, self._touch]

    def contact(self, substep: int, place: int, *, fingers_only: bool) -> np.ndarray | None:
        """Where the place was first touched at a substep of the last control step, `[3]` metres.

        None if nothing, or with `fingers_only` no finger, touched it. Costs the substeps up to
        there, less those up to an earlier one that was asked for just before.
        """
        data = self._replay_to(substep)
        pairs = data.contact.geom
        here = (pairs == self._geoms[place]).any(axis=1)
        if fingers_only:
            here &= self._fingers[pairs].any(axis=1)
        found = np.flatnonzero(here)
        return data.contact.pos[found[0]].copy() if len(found) else None

    def _replay_to(self, substep: int) -> Any:
        """The last control step just after a substep, in a world of its own."""
        if self._replay is None:
            self._replay = mujoco.MjData(self.model)
        data = self._replay
        if not 0 < self._replayed <= substep:
            mujoco.mj_setState(self.model, data, self._start, _STATE)
            data.ctrl[:] = self._control
            self._replayed = 0
        mujoco.mj_step(self.model, data, substep + 1 - self._replayed)
        self._replayed = substep + 1
        return data


def pressed_places(pressures: np.ndarray) -> np.ndarray:
    """The place pressed hardest at each substep, -1 where none is: `[T, P]` to `[T] int`.

    Of places pressed equally hard the first counts, so that a cell outweighs the pass plate.
    """
    hardest = pressures.argmax(axis=1)
    hardest[pressures.max(axis=1) <= THRESHOLD] = -1
    return hardest
