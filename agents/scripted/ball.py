"""Solves MuJoBan: plans with the rules, and steers the ball along the plan.

It reads what only the simulator knows: positions and velocities of the ball and the boxes.
"""

import math
from collections import deque
from dataclasses import dataclass, replace

import dm_env
import numpy as np

from agents.scripted import route
from agents.scripted.route import Leg
from agents.scripted.steering import Line, Pose, beside, drive, remaining, response
from environments.embedded.environment import EmbeddedEnvironment
from environments.embedded.simulation import Simulation
from environments.errors import UserError
from environments.games.sokoban import rules
from environments.players.sokoban.solver import solve

MAX_CONTROL_STEP = 0.2  # seconds; the ball is steered too late with longer ones
_FREE_SPEED, _PUSH_SPEED = 2.5, 1.2  # m/s
_SLOWING = 3.0  # m/s above the pushing speed for each metre before the ball meets a box
_LOAD = 0.18  # the roll command that one box takes: friction under it, and at the ball's face
_TOUCHING = 0.02  # metres between ball and box
_AT_REST = 0.3  # m/s
_PATIENCE = 15.0  # seconds for a leg


@dataclass(frozen=True)
class Account:
    """What happened in an episode so far."""

    planned: int | None = None  # moves of the first plan; None if there is none
    departed: int = 0  # how often the board was not as planned after a push
    stuck: int = 0  # how often a leg was given up
    lost: str = ""  # why there is no plan: unsolvable or gave_up


class BallScript:
    """A policy for one MuJoBan environment: `script(timestep) -> action`.

    It begins anew at a FIRST. Where the board departs from the plan, or a stretch takes too long,
    it plans again; once there is no plan it stands still.
    """

    def __init__(self, environment: EmbeddedEnvironment):
        """Raises UserError if the control step is too long to steer with."""
        step = environment.simulation.control_step
        if step > MAX_CONTROL_STEP + 1e-9:
            raise UserError(
                f"the script steers at control steps of at most {MAX_CONTROL_STEP} s, not {step:g}"
            )
        self._environment = environment
        self._ball = response(step)
        self._patience = round(_PATIENCE / step)
        self._scene = _Scene(environment.simulation)
        self._legs: deque[Leg] = deque()
        self._steps = 0  # on the present leg
        self.account = Account()

    def __call__(self, timestep: dm_env.TimeStep) -> np.ndarray:
        """The action `[3]` float32 for the present moment of the environment."""
        if timestep.first():
            self.account = Account()
            self._scene = _Scene(self._environment.simulation)  # levels may differ in size
            self._plan([])
        pose = self._scene.pose()
        self._follow(pose)
        if not self._legs:
            return np.zeros(3, np.float32)
        self._steps += 1
        line = aim(self._legs[0], pose, self._scene.boxes())
        return drive(pose, line, self._ball)

    def _plan(self, first: list[Leg]) -> None:
        """Plans from the present state, to go on after the legs that come first."""
        state = self._environment.state
        found = solve(state)
        self._legs, self._steps = deque(first), 0
        if found.status == "solved":
            self._legs += route.legs(state, found.actions)
            if self.account.planned is None:
                self.account = replace(self.account, planned=len(found.actions))
        else:
            self._legs.clear()
            self.account = replace(self.account, lost=found.status)

    def _follow(self, pose: Pose) -> None:
        """Drops the leg if it is done, and plans anew if it did not go as planned."""
        if not self._legs:
            return
        leg = self._legs[0]
        left = remaining(pose.position, leg.goal, leg.axis)
        if abs(left) > leg.tolerance or float(np.hypot(*pose.velocity)) > _AT_REST:
            if self._steps < self._patience:
                return
            self.account = replace(self.account, stuck=self.account.stuck + 1)
        else:
            self._legs.popleft()
            self._steps = 0
            if leg.after is None or _alike(self._environment.state, leg.after):
                return
            self.account = replace(self.account, departed=self.account.departed + 1)
        self._plan(route.centring(pose.position, self._environment.state))


def aim(leg: Leg, pose: Pose, boxes: np.ndarray) -> Line:
    """How to drive now on `leg`; `boxes` is `[K, 2]`, their positions.

    A box ahead follows the ball sideways, so that it is the box that is steered along the line.
    """
    left = remaining(pose.position, leg.goal, leg.axis)
    offset = beside(pose.position, leg.goal, leg.axis)
    if not leg.push:
        return Line(leg.goal, leg.axis, _FREE_SPEED, offset)
    speed = min(_FREE_SPEED, _PUSH_SPEED + _SLOWING * max(0.0, left - leg.push))
    if left > leg.push + _TOUCHING:
        return Line(leg.goal, leg.axis, speed, offset)
    ahead = pose.position + route.TOUCH * leg.axis
    box = boxes[np.argmin(np.abs(boxes - ahead).sum(1))]
    return Line(leg.goal, leg.axis, speed, beside(box, leg.goal, leg.axis), _LOAD)


def _alike(state: rules.State, other: rules.State) -> bool:
    return state.player == other.player and np.array_equal(state.boxes, other.boxes)


class _Scene:
    """Where ball and boxes are, read from the simulator."""

    def __init__(self, simulation: Simulation):
        model = simulation.model
        self._data = simulation.data
        self._head = model.body("walker/head_body").id
        self._velocity = [model.joint(f"walker/root_{axis}/").dofadr[0] for axis in "xy"]
        self._steer = model.joint("walker/steer").dofadr[0]
        names = [model.body(i).name for i in range(model.nbody)]
        self._boxes = [i for i, name in enumerate(names) if name.removeprefix("box").isdecimal()]

    def pose(self) -> Pose:
        """Of the ball."""
        face = self._data.xmat[self._head].reshape(3, 3)[:, 1]
        return Pose(
            position=self._data.xpos[self._head, :2].copy(),
            velocity=self._data.qvel[self._velocity],
            heading=math.atan2(face[1], face[0]),
            turn_rate=-float(self._data.qvel[self._steer]),
        )

    def boxes(self) -> np.ndarray:
        """x and y of every box, `[K, 2]`."""
        return self._data.xpos[self._boxes, :2]
