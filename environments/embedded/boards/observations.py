"""What the arm senses of itself, under the names and in the layout of the public environments."""

import math

import numpy as np

from environments.embedded.boards.scene import ARM, HAND, Scene
from environments.embedded.engine import mujoco
from environments.games.board.game import BoardState

_JOINTS_POS, _JOINTS_VEL, _JOINTS_TORQUE = (
    f"{ARM}/joints_{what}" for what in ("pos", "vel", "torque")
)
_HAND_POS, _HAND_VEL, _PINCH_POS, _PINCH_RMAT = (
    f"{HAND}/{what}" for what in ("joints_pos", "joints_vel", "pinch_site_pos", "pinch_site_rmat")
)


class Proprioception:
    """Reads the arm's and the hand's joints, torques and pinch site from one world.

    Angles of the arm are (sine, cosine); torques are about the joints' axes, in newton metres,
    and squashed by sign(x) log(1 + |x|); positions are in metres in the world's frame.
    """

    def __init__(self, scene: Scene, data: mujoco.MjData):
        torques = scene.torques
        # Views: they follow the world.
        self._qpos, self._qvel = data.qpos, data.qvel
        self._torques = data.sensordata[torques[0] : torques[-1] + 1 : torques[1] - torques[0]]
        self._pinch_pos = data.site_xpos[scene.pinch_site]
        self._pinch_rmat = data.site_xmat[scene.pinch_site]

    def observe(self) -> dict[str, np.ndarray]:
        """New float32 arrays: parts of one that share nothing.

        With plain numbers, since NumPy's functions are slow at their first use after the engine
        has run.
        """
        qpos = self._qpos.tolist()
        values: list[float] = []
        for angle in qpos[:6]:
            values += (math.sin(angle), math.cos(angle))
        values += qpos[6:]
        values += self._qvel.tolist()
        for torque in self._torques.tolist():
            values.append(math.copysign(math.log1p(abs(torque)), torque))
        values += self._pinch_pos.tolist()
        values += self._pinch_rmat.tolist()
        row = np.array(values, np.float32)
        return {
            _JOINTS_POS: row[:12].reshape(6, 2),
            _HAND_POS: row[12:15],
            _JOINTS_VEL: row[15:21],
            _HAND_VEL: row[21:24],
            _JOINTS_TORQUE: row[24:30],
            _PINCH_POS: row[30:33],
            _PINCH_RMAT: row[33:],
        }


def public_board(state: BoardState) -> np.ndarray:
    """`board_state` as in MuJoXO, `[H, W, 3] bool`: empty, self, opponent.

    Row 0 is the bottom row, the nearest to the front cameras. Go's, `[H, W, 4]`, has a fourth
    plane that says that white is to play.
    """
    planes = state.planes[::-1]
    if state.game.parsed.short != "go":
        return planes.copy()
    white = np.full((*planes.shape[:2], 1), state.player == 1)
    return np.concatenate([planes, white], axis=-1)


def move_history(state: BoardState, length: int) -> np.ndarray:
    """The actions so far, `[length] int32`, then -1: as in MuJoGo."""
    history = np.full(length, -1, np.int32)
    played = state.history[:length]
    history[: len(played)] = played
    return history
