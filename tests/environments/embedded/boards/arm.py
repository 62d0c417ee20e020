"""What tests need to play: ways to make the arm press, and an opponent with its mind made up."""

from typing import Any

import mujoco
import numpy as np

from agents.scripted.arm_kinematics import CLOSED as ARM_CLOSED
from agents.scripted.arm_kinematics import ArmKinematics
from agents.scripted.arm_plan import LEANS, press_pose
from environments.embedded.boards.embedding import BoardEmbedding
from environments.embedded.boards.poses import draw, solve
from environments.embedded.boards.spec import board_for
from environments.embedded.boards.targets import Target
from environments.embedded.environment import EmbeddedEnvironment
from environments.games.board.game import board_game
from environments.players.base import Advice

FIST = 0.039  # m from the grip site to the tips of closed fingers
CLOSED = 1.35  # rad
DEPTH = 0.0005  # m by which a pressing fist sinks in
STILL = np.zeros(9, np.float32)


class Scripted:
    """Plays the given actions one after the other, then fails."""

    def __init__(self, *actions: int):
        self.actions = list(actions)
        self.closed = False

    def advise(self, state: Any, deadline: float | None = None) -> Advice:
        if not self.actions:
            return Advice("failed")
        return Advice("advised", self.actions.pop(0))

    def reseed(self, seed: int) -> None: ...

    def snapshot(self) -> Any:
        return tuple(self.actions)

    def restore(self, snapshot: Any) -> None:
        self.actions = list(snapshot)

    def close(self) -> None:
        self.closed = True


def embedded(game: str, *replies: int, **options: Any) -> BoardEmbedding:
    """`game` against an opponent that gives these replies, at its start."""
    rules_of = board_game(game)
    embedding = BoardEmbedding(rules_of, board_for(rules_of), Scripted(*replies), **options)
    embedding.begin(0, np.random.default_rng(0))
    return embedding


def environment(game: str, *replies: int, **options: Any) -> Any:
    """The same as an EmbeddedEnvironment, reset."""
    made = EmbeddedEnvironment(embedded(game, *replies, **options), time_limit=60.0)
    made.reset()
    return made


def fist_at(embedding: BoardEmbedding, point: Any) -> None:
    """Puts the closed fist straight down with its tips at `point`, `[3]` metres, at rest."""
    pose = _straight_down(embedding, point)
    assert pose is not None, f"the arm does not reach {point} with the hand straight down"
    _put(embedding, pose, CLOSED)


def hand_at(embedding: BoardEmbedding, point: np.ndarray) -> None:
    """Puts the fist onto a `point` of a surface, `[3]` metres; leaning where it must, at rest."""
    pose = _straight_down(embedding, point - (0, 0, DEPTH))
    if pose is not None:
        return _put(embedding, pose, CLOSED)
    arm, target = ArmKinematics(embedding.scene), Target(point, 0.0, 0.0)
    start = draw(np.random.default_rng(0))[:6]
    leans = (press_pose(arm, start, target, lean, stiffness) for lean, stiffness in LEANS)
    pose = next((pose for pose in leans if pose is not None), None)
    assert pose is not None, f"the arm does not reach {point}"
    return _put(embedding, pose, ARM_CLOSED)


def _straight_down(embedding: BoardEmbedding, point: Any) -> np.ndarray | None:
    """The arm's six angles for it, or None."""
    data = mujoco.MjData(embedding.scene.model)
    data.qpos[6:] = CLOSED
    pose = solve(embedding.scene, data, np.asarray(point) + (0, 0, FIST))
    return None if pose is None else np.append(pose, 0.0)


def _put(embedding: BoardEmbedding, pose: np.ndarray, closed: float) -> None:
    simulation = embedding.simulation
    simulation.data.qpos[:6], simulation.data.qpos[6:] = pose, closed
    simulation.data.qvel[:] = 0
    simulation.forward()


def fist_on(embedding: BoardEmbedding, row: int, column: int) -> None:
    """Puts the fist onto a cell, so that the next control step presses it."""
    fist_at(embedding, embedding.scene.spec.centre(row, column) - (0, 0, DEPTH))


def fist_on_plate(embedding: BoardEmbedding, side: int = 1) -> None:
    """Puts the fist onto the pass plate, left (-1) or right (1) of the board."""
    spec = embedding.scene.spec
    x = side * (spec.extent[1] / 2 + 0.06)
    fist_at(embedding, (x, 0.05, spec.plate[2] - DEPTH))
