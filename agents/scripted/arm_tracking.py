"""Follows a planned press with the arm's velocity actuators."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.scripted.arm_kinematics import CLOSED, JOINTS
from agents.scripted.arm_trajectory import Trajectory

_GAIN = 8.0  # 1/s: how fast an error of a joint's angle is corrected


@dataclass(frozen=True)
class Actuators:
    """What the joint actuators do: their torque is `gain` times what the speed lacks."""

    lowest: np.ndarray  # [9] rad/s
    highest: np.ndarray  # [9] rad/s
    gain: np.ndarray  # [6] N m s/rad

    @classmethod
    def of(cls, model: Any) -> "Actuators":
        """The actuators of a compiled model."""
        low, high = model.actuator_ctrlrange.T
        return cls(low.copy(), high.copy(), model.actuator_gainprm[:JOINTS, 0].copy())


def follow(
    plan: Trajectory, time: float, step: float, data: Any, actuators: Actuators
) -> np.ndarray:
    """The control for the next `step` s, `time` s into the plan: float32 `[9]`, in the bounds.

    The plan's speed in the middle of the step, a correction of the angles, and what gravity
    would take from the speed. The fingers close to a fist at full speed.
    """
    pose = plan.at(time)
    ahead = plan.at(time + step)
    speed = (ahead - pose) / step + _GAIN * (pose - data.qpos[:JOINTS])
    speed += data.qfrc_bias[:JOINTS] / actuators.gain
    fingers = (CLOSED - data.qpos[JOINTS:]) / step
    control = np.concatenate([speed, fingers])
    return np.clip(control, actuators.lowest, actuators.highest).astype(np.float32)
