"""One MuJoCo model and its data, advanced by whole control steps inside C."""

import logging

import numpy as np

from environments.embedded.engine import mujoco
from environments.errors import PhysicsError, UserError

_STATE = mujoco.mjtState.mjSTATE_INTEGRATION

# Worlds raise what the engine warns of; it would also write MUJOCO_LOG.TXT where the user is.
mujoco.set_mju_user_warning(logging.getLogger("mujoco").info)


class Simulation:
    """Physics of one world: `substeps` steps of the engine for each control step.

    After `forward`, `advance` and `restore`, whatever follows from positions and velocities
    belongs to the present state: poses of bodies, geoms, sites and cameras, and the sensors of
    both. Sensors of accelerations and forces, contacts and constraint forces are those of the
    last substep, as the engine leaves them.

    `advance` and `forward` raise PhysicsError if the engine warns (numbers that are not finite
    or too large, no room for contacts); the next `reset` makes the world usable again.
    """

    def __init__(self, model: mujoco.MjModel, substeps: int):
        self.model = model
        self.data = mujoco.MjData(model)
        self.substeps = substeps
        self._size = mujoco.mj_stateSize(model, _STATE)
        self._warnings = self.data.warning.number  # a view, `[mjNWARNING]`
        self._no_warnings = bytes(self._warnings.nbytes)

    @property
    def control_step(self) -> float:
        """The length of a control step, in seconds."""
        return self.model.opt.timestep * self.substeps

    def reset(self) -> None:
        """The model's initial state, before anything derived from it is computed."""
        mujoco.mj_resetData(self.model, self.data)

    def forward(self) -> None:
        """Computes all that follows from the present state: after a reset and its changes."""
        mujoco.mj_forward(self.model, self.data)
        self._check()

    def advance(self, control: np.ndarray) -> None:
        """One control step under `control`, `[nu]`, held throughout."""
        self.data.ctrl[:] = control
        mujoco.mj_step(self.model, self.data, self.substeps)
        self._check()
        self.refresh()

    def refresh(self) -> None:
        """What follows from present positions and velocities, contacts left out.

        Costs a tenth of a substep.
        """
        model, data = self.model, self.data
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_camlight(model, data)
        mujoco.mj_comVel(model, data)
        mujoco.mj_sensorPos(model, data)
        mujoco.mj_sensorVel(model, data)

    def __reduce__(self):
        # Whoever holds one keeps views of its arrays, which a copy would not share.
        raise UserError("physics cannot be copied by itself: copy the environment that it is of")

    def _check(self) -> None:
        if self._warnings.tobytes() != self._no_warnings:
            kind = int(self._warnings.argmax())
            name = mujoco.mjtWarning(kind).name.removeprefix("mjWARN_")
            raise PhysicsError(
                f"MuJoCo warns of {name} ({mujoco.mju_warningText(kind, self._detail(kind))}) "
                f"at {self.data.time:.3f} s of the episode"
            )

    def _detail(self, kind: int) -> int:
        return int(self.data.warning[kind].lastinfo)

    def state(self) -> np.ndarray:
        """Everything that later steps depend on, warm start included."""
        state = np.empty(self._size)
        mujoco.mj_getState(self.model, self.data, state, _STATE)
        return state

    def restore(self, state: np.ndarray, sensors: np.ndarray) -> None:
        """Goes back to a `state`, and to what the sensors showed then.

        Raises ValueError for the state of a model with other sizes.
        """
        if state.shape != (self._size,):
            raise ValueError(f"a state has {self._size} numbers in this world, not {state.shape}")
        self._warnings[:] = 0
        mujoco.mj_setState(self.model, self.data, state, _STATE)
        self.data.sensordata[:] = sensors
        self.refresh()
