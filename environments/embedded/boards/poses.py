"""Poses from which the arm starts: the hand over the board, pointing down, touching nothing.

The tool's centre is uniform in a box over the board, and the hand's yaw is uniform. Each pose is
a solution of the inverse kinematics that bends the elbow up and to the same side, near no joint's
limit, so that the arm can move away from it in every direction. The first five joints come from
a table beside this file; joint 6 turns the hand about the vertical, so it is drawn from the whole
circle, which moves nothing but the yaw. No pose of the table touches anything at any yaw and at
any closing of the fingers, whatever the board: the arm stays above all of them.

    python -m environments.embedded.boards.poses

computes the table anew, in some seconds, and writes it.
"""

import functools
from pathlib import Path

import numpy as np

from environments.embedded.boards.scene import ARM, Scene, build_scene
from environments.embedded.boards.spec import go_board
from environments.embedded.engine import mujoco

BOX = np.array([(-0.1, -0.1, 0.2), (0.1, 0.1, 0.4)])
"""`[2, 3]` metres: corners of the box in which the tool's centre starts."""
FINGERS_OPEN = 0.2  # rad; the joints' range is 0.15 to 1.35
CLEARANCE = 0.05  # metres: how far above the ground all of the arm stays

_TABLE = Path(__file__).with_name("poses.npy")
_COUNT = 1024
# At the middle of the box: the tool down, the elbow up.
_NOMINAL = np.array([4.563, 3.508, 1.464, -0.361, 1.294])
_DOWN = np.array([0.0, 0.0, -1.0])


@functools.cache
def table() -> np.ndarray:
    """The first five joints' angles of every start pose, `[P, 5] float64`, read-only."""
    poses = np.load(_TABLE).astype(np.float64)
    poses.flags.writeable = False
    return poses


def draw(rng: np.random.Generator) -> np.ndarray:
    """Angles of the arm's six joints and the three fingers at a start, `[9] float64`."""
    poses = table()
    pose = np.empty(9)
    pose[:5] = poses[rng.integers(len(poses))]
    pose[5] = rng.uniform(-np.pi, np.pi)
    pose[6:] = FINGERS_OPEN
    return pose


def solve(scene: Scene, data: mujoco.MjData, target: np.ndarray) -> np.ndarray | None:
    """The first five joints' angles that bring the tool's centre to `target`, pointing down.

    Newton's method, damped, from the nominal pose, so that neighbouring targets get neighbouring
    poses. None if it does not arrive.
    """
    model = scene.model
    jacobian = np.zeros((6, model.nv))
    data.qpos[:5] = _NOMINAL
    for _ in range(50):
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        pointing = data.site_xmat[scene.grip_site].reshape(3, 3)[:, 2]
        tilt = np.cross(pointing, _DOWN)[:2]  # the rest is yaw
        error = np.concatenate([target - data.site_xpos[scene.grip_site], tilt])
        if np.linalg.norm(error) < 1e-6:
            return data.qpos[:5].copy() if pointing[2] < -0.9 else None
        mujoco.mj_jacSite(model, data, jacobian[:3], jacobian[3:], scene.grip_site)
        arm = jacobian[:5, :5]
        damped = arm.T @ arm + 1e-6 * np.eye(5)
        step = np.linalg.solve(damped, arm.T @ error)
        data.qpos[:5] += step * min(1.0, 0.5 / np.linalg.norm(step))
    return None


def is_clear(scene: Scene, data: mujoco.MjData, pose: np.ndarray) -> bool:
    """Whether nothing touches at `pose`, `[5]`, turned and closed in all ways."""
    model = scene.model
    moving = [
        geom
        for geom in np.flatnonzero(scene.robot)
        if model.geom(geom).name not in (f"{ARM}/base", f"{ARM}/link_1", f"{ARM}/ring_1")
    ]
    ground = model.geom("ground").id
    data.qpos[:5] = pose
    for yaw in np.linspace(-np.pi, np.pi, 16, endpoint=False):
        for closing in (0.15, 0.75, 1.35):
            data.qpos[5], data.qpos[6:] = yaw, closing
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            mujoco.mj_collision(model, data)
            if data.ncon:
                return False
    return all(
        mujoco.mj_geomDistance(model, data, ground, geom, CLEARANCE, None) >= CLEARANCE
        for geom in moving
    )


def compute(count: int = _COUNT, seed: int = 0) -> np.ndarray:
    """A table of `count` poses, `[count, 5] float32`, that are solved and clear."""
    scene = build_scene(go_board(7))
    data = mujoco.MjData(scene.model)
    rng = np.random.default_rng(seed)
    poses = []
    while len(poses) < count:
        pose = solve(scene, data, rng.uniform(*BOX))
        if pose is not None and is_clear(scene, data, pose):
            poses.append(pose)
    return np.array(poses, np.float32)


if __name__ == "__main__":
    np.save(_TABLE, compute())
