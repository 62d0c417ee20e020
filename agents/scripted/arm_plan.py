"""Plans one press: a way to a cell on which the arm touches nothing before it."""

import functools
import itertools
from collections.abc import Iterator

import numpy as np

from agents.scripted.arm_kinematics import CLEARANCE, JOINTS, ArmKinematics
from agents.scripted.arm_trajectory import Trajectory, curve, joined, timed
from environments.embedded.boards.targets import Target

NEAR_CLEARANCE = 0.003  # m from all but the target, shortly before the press
DEPTH = 0.008  # m below the surface at which a press ends, if the surface lets it
HOVER = (0.06, 0.15)  # m above a cell, from where a path comes down on it, tried in turn
LOOSE, STIFF = 0.03, 3.0  # s^2/rad^2: how much a press may bend the hand to be early
# How the hand leans away from the base and sideways (tangents) and how strictly, tried in turn.
LEANS = (
    ((0.0, 0.0), LOOSE),
    ((0.0, 0.0), STIFF),
    ((0.35, 0.0), STIFF),
    ((0.7, 0.0), STIFF),
    ((-0.35, 0.0), STIFF),
    ((-0.7, 0.0), STIFF),
    ((0.2, 0.4), STIFF),
    ((0.2, -0.4), STIFF),
)
FINGER_SPEED, FINGER_DELAY = 1.2, 0.12  # rad/s and s: how fingers close under full command
HOME = np.array([0.0, -0.05, 0.3])  # m: above the board
NOWHERE = Target(HOME, 0.0, 0.0)
LIFT = 0.1  # m
DOWN = np.array([0.0, 0.0, -1.0])
_RESTARTS = 60
_CHECK, _FINE_CHECK = 0.05, 0.01  # s between poses that are checked for contacts
_NEAR_END = 0.2  # s before the end: checked finely


def press_pose(
    arm: ArmKinematics,
    start: np.ndarray,
    target: Target,
    lean: tuple[float, float],
    stiffness: float,
) -> np.ndarray | None:
    """A pose near `start` with the lowest point of the fist `DEPTH` below `target`, or None."""
    outward = target.point[:2] - arm.base[:2]
    outward = outward / np.linalg.norm(outward)
    sideways = np.array([-outward[1], outward[0]])
    axis = np.array([*(lean[0] * outward + lean[1] * sideways), -1.0])
    axis /= np.linalg.norm(axis)
    aim = target.point - [0, 0, DEPTH]
    pose, correction, tolerance = None, np.array([0, 0, 0.01]), 0.01
    for _ in range(3):  # another point of the fist may become the lowest
        pose, error = arm.solve(
            start, aim + correction, axis, stiffness, guess=pose, tolerance=tolerance
        )
        if error > 0.02:
            return None
        correction, tolerance = arm.fist(pose) - arm.lowest_point(pose), 0.001
        miss = np.abs(arm.lowest_point(pose) - aim)
        if miss[2] < 0.004 and miss.max() < 0.012:
            return pose
    return None


def fingers_after(arm: ArmKinematics, fingers: np.ndarray, time: float) -> np.ndarray:
    """Where the finger joints, `[3]` rad, are after closing for `time` s."""
    closing = FINGER_SPEED * max(0.0, time - FINGER_DELAY)
    return np.maximum(fingers, np.minimum(fingers + closing, arm.closed))


def is_free(arm: ArmKinematics, plan: Trajectory, fingers: np.ndarray, target: Target) -> bool:
    """Whether the plan presses the target before it touches anything else.

    `fingers`: where the finger joints are at the start, `[3]` rad; they close meanwhile.
    """

    def touches(time: float, clearance: float) -> tuple[bool, bool]:
        arm.place(plan.at(time), fingers_after(arm, fingers, time))
        return arm.touches(target, clearance)

    late = max(0.0, plan.duration - _NEAR_END)
    for time in np.arange(plan.duration, late, -_FINE_CHECK)[::-1]:  # where most plans fail
        presses, collides = touches(float(time), NEAR_CLEARANCE)
        if collides:
            return False
        if presses:
            break
    else:
        return False
    return not any(any(touches(float(time), CLEARANCE)) for time in np.arange(0.0, late, _CHECK))


def _descent(arm: ArmKinematics, pose: np.ndarray, height: float) -> np.ndarray | None:
    """A pose near the press `pose` with the fist `height` m above the cell, or None."""
    above = arm.fist(pose) + [0, 0, height + DEPTH]
    hover, error = arm.solve(pose, above, arm.axis(), STIFF)
    return hover if error < 0.01 else None


class PressPlanner:
    """Plans presses by one arm. Deterministic; what it keeps does not depend on earlier plans."""

    def __init__(self, arm: ArmKinematics):
        self._arm = arm

    @functools.cached_property
    def _homes(self) -> list[np.ndarray]:
        """Poses with the fist above the board, one for each way to bend the arm."""
        arm, rng = self._arm, np.random.default_rng(0)
        homes: list[np.ndarray] = []
        for _ in range(_RESTARTS):
            start = np.clip(rng.uniform(0, 2 * np.pi, JOINTS), arm.lowest, arm.highest)
            pose, error = arm.solve(start, HOME, DOWN, STIFF)
            pose = np.where(np.isinf(arm.lowest), pose % (2 * np.pi), pose)
            if error > 0.002 or arm.axis()[2] > -0.95:
                continue
            arm.place(pose)
            if any(arm.touches(NOWHERE, CLEARANCE)):
                continue
            bends = [np.abs(wrapped(pose - home))[1:3].max() for home in homes]
            if min(bends, default=np.inf) > 0.3:
                homes.append(pose)
        return homes

    def plan(self, start: np.ndarray, fingers: np.ndarray, target: Target) -> Trajectory | None:
        """A way from `start` that presses `target` and nothing before it; None if none is found.

        `fingers`: the finger joints at the start, `[3]` rad. An arm that is near to something
        rises first.
        """
        arm = self._arm
        arm.place(start, fingers)
        if not any(arm.touches(NOWHERE, CLEARANCE)):
            return self._plan_from(start, fingers, target)
        raised, _ = arm.solve(start, arm.fist(start) + [0, 0, LIFT], arm.axis(), STIFF)
        rise = timed(curve(start, raised), arm.speed, 0.0, brakes=True)
        fingers = fingers_after(arm, fingers, rise.duration)
        plan = self._plan_from(raised, fingers, target)
        return None if plan is None else joined([rise, plan])

    def _plan_from(
        self, start: np.ndarray, fingers: np.ndarray, target: Target
    ) -> Trajectory | None:
        arm = self._arm
        least = max(0.0, float((arm.closed - fingers).max()) / FINGER_SPEED + FINGER_DELAY)

        def ways(home: np.ndarray | None) -> Iterator[Trajectory]:
            seed = start if home is None else home
            for lean, stiffness in LEANS:
                pose = press_pose(arm, seed, target, lean, stiffness)
                if pose is None:
                    continue
                for height in HOVER:
                    hover = _descent(arm, pose, height)
                    if hover is None:
                        continue
                    yield timed(curve(start, hover, pose), arm.speed, least, brakes=False)
                    if home is not None:
                        there = timed(curve(start, home), arm.speed, least, brakes=True)
                        down = timed(curve(home, hover, pose), arm.speed, 0.0, brakes=False)
                        yield joined([there, down])

        for home in itertools.chain([None], self._nearest_homes(start)):
            for way in ways(home):
                if is_free(arm, way, fingers, target):
                    return way
        return None

    def _nearest_homes(self, start: np.ndarray) -> Iterator[np.ndarray]:
        """The homes, the soonest reached first, turned to the same full turns as `start`."""
        unlimited = np.isinf(self._arm.lowest)
        near = [np.where(unlimited, start + wrapped(home - start), home) for home in self._homes]
        yield from sorted(near, key=lambda home: (np.abs(home - start) / self._arm.speed).max())


def wrapped(angle: np.ndarray) -> np.ndarray:
    """The same angle within half a turn of 0."""
    return (angle + np.pi) % (2 * np.pi) - np.pi
