"""Where the Jaco arm's fist is and what it touches in a pose, and which pose puts it at a point."""

import numpy as np

from environments.embedded.boards.scene import Scene
from environments.embedded.boards.targets import Target
from environments.embedded.engine import mujoco

JOINTS = 6  # of the arm; three finger joints follow them in every array of joint positions
FIST = np.array([0.0, 0.0, 0.039])  # m in the frame of the grip site: the tips of closed fingers
CLOSED = 1.2  # rad: finger joints of a fist; they reach 1.35, later
LIMIT_MARGIN = 0.06  # rad: no planned pose is nearer to a joint's limit
CLEARANCE = 0.008  # m: a planned pose keeps this far from everything but the cell to be pressed
SURE_DEPTH = 0.003  # m: a press is planned this deep, so that no other finger is first
FREE_TILT = 0.6  # rad: a hand that leans more costs much more
_ITERATIONS = 40
_LONGEST_STEP = 0.3  # rad in one iteration
_SHARPNESS, _EVENNESS = 4.0, 0.05  # how far the slowest joint outweighs the others


class ArmKinematics:
    """Kinematics of a scene's arm on data of its own; the simulation is never touched.

    A pose is `[6] float`, the angles of the arm's joints in radians. The nine joints of the model
    are those of the arm, then those of the fingers.
    """

    def __init__(self, scene: Scene):
        model = self._model = scene.new_model()
        model.geom_margin[scene.robot] = CLEARANCE
        self._data = mujoco.MjData(model)
        self._robot, self._finger, self._site = scene.robot, scene.fingers, scene.grip_site
        self._hand = int(model.site_bodyid[self._site])
        self.speed = model.actuator_ctrlrange[:JOINTS, 1].copy()  # rad/s
        limited = model.jnt_limited[:JOINTS].astype(bool)
        ranges = model.jnt_range[:JOINTS]
        self.lowest = np.where(limited, ranges[:, 0] + LIMIT_MARGIN, -np.inf)
        self.highest = np.where(limited, ranges[:, 1] - LIMIT_MARGIN, np.inf)
        self.closed = np.full(model.nv - JOINTS, CLOSED)
        self._vertices = self._fist_vertices()
        self.base = self._data.xpos[model.jnt_bodyid[0]].copy()  # m

    def _fist_vertices(self) -> np.ndarray:
        """The vertices of the closed fingers in the frame of the grip site, `[n, 3]` m."""
        model, data = self._model, self._data
        self.place(np.zeros(JOINTS))
        origin, frame = data.site_xpos[self._site], data.site_xmat[self._site].reshape(3, 3)
        found = []
        for geom in np.flatnonzero(self._finger):
            mesh = model.geom_dataid[geom]
            first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
            vertices = model.mesh_vert[first : first + count]
            placed = vertices @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom]
            found.append((placed - origin) @ frame)
        return np.concatenate(found)

    def place(self, pose: np.ndarray, fingers: np.ndarray | None = None) -> None:
        """Puts the scratch arm into `pose`, the fingers `[3]` closed unless given."""
        self._data.qpos[:JOINTS] = pose
        self._data.qpos[JOINTS:] = self.closed if fingers is None else fingers
        mujoco.mj_kinematics(self._model, self._data)

    def fist(self, pose: np.ndarray) -> np.ndarray:
        """The point between the closed finger tips in `pose`, `[3]` m."""
        self.place(pose)
        frame = self._data.site_xmat[self._site].reshape(3, 3)
        return self._data.site_xpos[self._site] + frame @ FIST

    def axis(self) -> np.ndarray:
        """Where the hand of the placed arm points, `[3]`."""
        return self._data.site_xmat[self._site].reshape(3, 3)[:, 2].copy()

    def lowest_point(self, pose: np.ndarray) -> np.ndarray:
        """The lowest point of the closed fingers in `pose`, `[3]` m."""
        self.place(pose)
        frame = self._data.site_xmat[self._site].reshape(3, 3)
        heights = self._vertices @ frame[2]
        return self._data.site_xpos[self._site] + frame @ self._vertices[heights.argmin()]

    def solve(
        self,
        start: np.ndarray,
        target: np.ndarray,
        axis: np.ndarray,
        stiffness: float,
        *,
        guess: np.ndarray | None = None,
        tolerance: float = 1e-3,
    ) -> tuple[np.ndarray, float]:
        """The pose soonest reached from `start` with the fist at `target` and near `axis`.

        Sequential quadratic programming with the position as a constraint: the cost is the
        travel time of the slowest joint, nearly, plus `stiffness` s^2 for a hand
        one radian off the axis, about which it may turn. `guess`: a pose to search from, unless
        `start`. Returns the pose and the error in m.
        """
        model, data = self._model, self._data
        linear, angular = np.empty((3, model.nv)), np.empty((3, model.nv))
        pose = np.clip(start if guess is None else guess, self.lowest, self.highest)
        distance = np.inf
        for _ in range(_ITERATIONS):
            point = self.fist(pose)
            offset = target - point
            mujoco.mj_comPos(model, data)
            mujoco.mj_jac(model, data, linear, angular, point, self._hand)
            times = (pose - start) / self.speed
            share = np.abs(times) / max(np.abs(times).max(), 1e-6)
            weights = share**_SHARPNESS + _EVENNESS
            direction = data.site_xmat[self._site].reshape(3, 3)[:, 2]
            turn = _rotation(direction, axis)
            bend = stiffness * (1 + (np.linalg.norm(turn) / FREE_TILT) ** 4)
            jacobian, twist = linear[:, :JOINTS], angular[:, :JOINTS]
            hessian = np.diag((_SHARPNESS + 1) * weights / self.speed**2) + bend * (twist.T @ twist)
            gradient = weights * times / self.speed - bend * (twist.T @ turn)
            step = _constrained_step(hessian, gradient, jacobian, offset)
            step *= min(1.0, _LONGEST_STEP / max(np.abs(step).max(), 1e-9))
            pose = np.clip(pose + step, self.lowest, self.highest)
            distance = float(np.linalg.norm(target - self.fist(pose)))
            if distance < tolerance and np.abs(step).max() < 0.02:
                break
        return pose, distance

    def touches(self, target: Target, clearance: float) -> tuple[bool, bool]:
        """Of the placed arm: whether it presses the target, and whether it collides elsewhere.

        Fingers deep in the part that senses touch press; they may come near the rest of the
        target. Anything else nearer than `clearance` m, `CLEARANCE` at most, is a collision,
        and so is the arm in contact with itself.
        """
        data = self._data
        mujoco.mj_collision(self._model, data)
        if data.ncon == 0:
            return False, False
        geoms, depth = data.contact.geom, data.contact.dist
        itself, finger = self._robot[geoms].all(axis=1), self._finger[geoms]
        offsets = np.abs(data.contact.pos[:, :2] - target.point[:2]).max(axis=1)
        meant = ~itself & finger.any(axis=1) & (offsets < target.reach)
        presses = meant & (depth < -SURE_DEPTH) & (offsets < target.sensor)
        apart = np.where(itself, depth >= 0, depth >= clearance)
        harmless = meant | apart | (itself & finger.all(axis=1))
        return bool(presses.any()), bool((~harmless).any())


def _rotation(direction: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """The rotation vector that turns unit `direction` to unit `axis`, `[3]` rad."""
    (ax, ay, az), (bx, by, bz) = direction, axis
    cross = np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
    sine = float(np.sqrt(cross @ cross))
    return cross * (np.arctan2(sine, direction @ axis) / max(sine, 1e-9))


def _constrained_step(
    hessian: np.ndarray, gradient: np.ndarray, jacobian: np.ndarray, offset: np.ndarray
) -> np.ndarray:
    """The step that lowers the quadratic most among those that move the point by `offset`."""
    solved = np.linalg.solve(hessian, np.column_stack([gradient, jacobian.T]))
    free, along = -solved[:, 0], solved[:, 1:]
    pull = np.linalg.solve(jacobian @ along + 1e-6 * np.eye(3), offset - jacobian @ free)
    return free + along @ pull
