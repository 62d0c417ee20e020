"""Turns a path in joint space into poses over time, as fast as the joints allow."""

from dataclasses import dataclass

import numpy as np

CRUISE = 0.95  # of the joints' top speed; what is left corrects errors
ACCELERATION = np.array([5.0, 5.0, 5.0, 2.5, 2.5, 2.5])  # rad/s^2, within the actuators' torque
_SAMPLES = 24  # of a curve


@dataclass(frozen=True)
class Trajectory:
    """Poses `[n, 6]` rad at increasing times `[n]` s, straight in between; at rest at the end."""

    times: np.ndarray
    poses: np.ndarray

    @property
    def duration(self) -> float:
        """s."""
        return float(self.times[-1])

    def at(self, time: float) -> np.ndarray:
        """The pose at `time` s, `[6]`."""
        if time >= self.times[-1]:
            return self.poses[-1]
        after = int(np.searchsorted(self.times, time, side="right"))
        begin, end = self.times[after - 1], self.times[after]
        share = (time - begin) / (end - begin)
        return self.poses[after - 1] + share * (self.poses[after] - self.poses[after - 1])


def curve(*points: np.ndarray) -> np.ndarray:
    """The Bezier curve of two or three poses, `[n, 6]`: it sets out and arrives along them."""
    s = np.linspace(0, 1, _SAMPLES)[:, None]
    if len(points) == 2:
        return (1 - s) * points[0] + s * points[1]
    return (1 - s) ** 2 * points[0] + 2 * s * (1 - s) * points[1] + s**2 * points[2]


def timed(path: np.ndarray, top_speed: np.ndarray, least: float, brakes: bool) -> Trajectory:
    """The fastest way along `path` `[n, 6]`, from rest, in `least` s or more.

    `top_speed` is that of the joints, `[6]` rad/s. It ends at rest only if it `brakes`.
    """
    change = np.abs(np.diff(path, axis=0))
    cruising = np.maximum((change / (CRUISE * top_speed)).max(axis=1), 1e-6)  # s
    speed = change / cruising[:, None]
    gain = (ACCELERATION / np.maximum(speed, 1e-9)).min(axis=1)  # 1/s, of the share of cruising
    energy = np.ones(len(path))  # the square of that share
    energy[0] = 0.0
    for i, (duration, rise) in enumerate(zip(cruising, gain, strict=True)):
        energy[i + 1] = min(1.0, energy[i] + 2 * rise * duration)
    if brakes:
        energy[-1] = 0.0
        for i in range(len(gain) - 1, -1, -1):
            energy[i] = min(energy[i], energy[i + 1] + 2 * gain[i] * cruising[i])
    share = np.sqrt(energy)
    times = np.concatenate([[0.0], np.cumsum(2 * cruising / (share[1:] + share[:-1]))])
    return Trajectory(times * max(1.0, least / times[-1]), path)


def joined(parts: list[Trajectory]) -> Trajectory:
    """One after the other; each starts where the one before it ends."""
    times, poses = [parts[0].times], [parts[0].poses]
    for part in parts[1:]:
        times.append(times[-1][-1] + part.times[1:])
        poses.append(part.poses[1:])
    return Trajectory(np.concatenate(times), np.concatenate(poses))
