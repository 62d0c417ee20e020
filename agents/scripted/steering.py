"""How the rolling ball answers its motors, and what drives it along a line: pure functions.

The ball is a unicycle: its roll motor accelerates it along its heading, friction keeps it from
sliding sideways, and it turns on the spot. Metres, seconds, radians counterclockwise.
"""

import math
from dataclasses import dataclass

import numpy as np

# What masses, dampings and gears of the walker amount to; measured responses agree within 2 %.
_SPEED_RATE, _ACCELERATION = 2.27, 11.2  # 1/s; m/s^2 under a full roll command
_TURN_RATE, _TURN_ACCELERATION = 3.38, 25.2  # 1/s; rad/s^2 under a full steer command
_TURN_FRICTION = 0.143  # the steer command that friction on the spot swallows
_DEAD_BAND = 0.02  # rad/s; wishes below it are not worth a push against that friction

_APPROACH = 3.5  # m/s for each metre that is left
_TURNING, _TURN_LIMIT = 4.5, 5.0  # rad/s for each radian that is left; rad/s
_ASTRAY = 0.35  # rad; the ball stands still and turns while its heading is this far off
_BEND, _BEND_LIMIT = 2.0, 0.5  # rad of heading for each metre beside the line; rad
_ARRIVING = 0.05  # m; so near to the goal the line is no longer aimed at


@dataclass(frozen=True)
class Pose:
    """Where the ball is and how it moves."""

    position: np.ndarray  # [2] x, y
    velocity: np.ndarray  # [2]
    heading: float  # of its face
    turn_rate: float


@dataclass(frozen=True)
class Line:
    """What to drive along, for one control step."""

    goal: np.ndarray  # [2]
    axis: np.ndarray  # [2] unit vector that points to the goal
    speed: float  # at most
    offset: float  # how far to its left is what shall stay on the line: the ball, or a box ahead
    load: float = 0.0  # the roll command that a box ahead takes


@dataclass(frozen=True)
class Response:
    """What a control step makes of speed and turn rate: decay * before + gain * command."""

    speed_decay: float
    speed_gain: float
    turn_decay: float
    turn_gain: float


def response(control_step: float) -> Response:
    """The ball's response over a control step of so many seconds."""
    speed, turn = math.exp(-_SPEED_RATE * control_step), math.exp(-_TURN_RATE * control_step)
    return Response(
        speed,
        _ACCELERATION * (1 - speed) / _SPEED_RATE,
        turn,
        _TURN_ACCELERATION * (1 - turn) / _TURN_RATE,
    )


def drive(pose: Pose, line: Line, ball: Response) -> np.ndarray:
    """The action `[roll, steer, kick]`, float32 in [-1, 1], that brings the ball to the goal.

    The ball goes backwards where that takes less turning, and stops before it turns.
    """
    left = remaining(pose.position, line.goal, line.axis)
    axis = math.atan2(line.axis[1], line.axis[0])
    forward = math.cos(axis - pose.heading) >= 0
    heading = pose.heading if forward else pose.heading + math.pi
    wanted = axis
    if abs(left) > _ARRIVING:
        bend = min(max(_BEND * line.offset, -_BEND_LIMIT), _BEND_LIMIT)
        wanted -= bend if left > 0 else -bend
    astray = wrap(wanted - heading)
    fastest = line.speed * max(0.0, 1.0 - abs(astray) / _ASTRAY)
    wish = min(max(_APPROACH * left, -fastest), fastest)
    speed = float(pose.velocity @ (math.cos(heading), math.sin(heading)))
    roll = (wish - ball.speed_decay * speed) / ball.speed_gain + (line.load if left > 0 else 0.0)
    # A positive command rolls backwards, and steers clockwise.
    action = [-roll if forward else roll, -_turn(astray, pose.turn_rate, ball), 0.0]
    return np.clip(np.array(action, np.float32), -1.0, 1.0)


def _turn(angle: float, rate: float, ball: Response) -> float:
    """The command that turns the ball by `angle`."""
    wish = min(max(_TURNING * angle, -_TURN_LIMIT), _TURN_LIMIT)
    command = (wish - ball.turn_decay * rate) / ball.turn_gain
    return command + math.copysign(_TURN_FRICTION, wish) if abs(wish) > _DEAD_BAND else command


def remaining(position: np.ndarray, goal: np.ndarray, axis: np.ndarray) -> float:
    """How far ahead the goal lies along the axis; negative once it is passed."""
    return float((goal - position) @ axis)


def beside(position: np.ndarray, goal: np.ndarray, axis: np.ndarray) -> float:
    """How far a position lies to the left of the line to the goal."""
    x, y = position - goal
    return float(axis[0] * y - axis[1] * x)


def wrap(angle: float) -> float:
    """The same angle in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi
