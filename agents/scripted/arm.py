"""Plays the touch-board games with the Jaco arm: a player picks moves, a planner presses them.

It reads what only the simulator knows: the position, the joints' angles and the forces on them.
"""

from dataclasses import dataclass, replace

import dm_env
import numpy as np

from agents.scripted.arm_kinematics import JOINTS, ArmKinematics
from agents.scripted.arm_plan import PressPlanner
from agents.scripted.arm_tracking import Actuators, follow
from agents.scripted.arm_trajectory import Trajectory
from environments.embedded.boards.embedding import BoardEmbedding
from environments.embedded.boards.targets import nearest, targets_of
from environments.embedded.environment import EmbeddedEnvironment
from environments.errors import UserError
from environments.games.board.game import BoardGame, BoardState
from environments.hints.embedding import HintedEmbedding
from environments.players.base import Player
from environments.players.make import make_player

_SMALL = ("tic_tac_toe",)  # games that the script plays perfectly
_SEARCH = "mcts(simulations=500)"
_PATIENCE = 0.6  # s after the planned press until it counts as missed
_ASTRAY = 0.2  # rad between an angle and the plan; following it leaves a tenth of that
_SURE = 0.8  # of a square's sensitive part: presses are planned to hit within it
_WITHIN = 0.95  # of a square: a press may touch so much of it


@dataclass(frozen=True)
class Account:
    """What went wrong since the script was made."""

    missed: int = 0  # plans that led to no move or could not be followed, and were made anew
    unplanned: int = 0  # moves that were not pressed: no way was found


class ArmScript:
    """A policy for one board game: `script(timestep) -> action`. It begins anew at a FIRST.

    Where there is a hint it presses that; else what its player says.
    """

    def __init__(self, environment: EmbeddedEnvironment, player: Player | None = None):
        """`player` picks the moves: unless given, one that suits the game.

        Raises UserError if the environment is no board game.
        """
        embedding = environment.embedding.innermost
        if not isinstance(embedding, BoardEmbedding):
            raise UserError("the arm script plays board games on cells that sense touch")
        self._environment, self._scene = environment, embedding.scene
        self._game = embedding.game
        self._player = player or _suitable_player(self._game)
        self._planner = PressPlanner(ArmKinematics(embedding.scene))
        self._actuators = Actuators.of(embedding.scene.model)
        self._demanded: int | None = None
        self._stale = False  # whether the plan is for something else
        self._history: tuple[int, ...] | None = None
        self._intended = -1
        self._plan: Trajectory | None = None
        self._time = 0.0  # s since the plan began
        self.account = Account()

    def demand(self, action: int | None) -> None:
        """Makes `action` of the game the next moves, whatever the player says; None: no more."""
        self._demanded, self._stale = action, True

    def __call__(self, timestep: dm_env.TimeStep) -> np.ndarray:
        """The action, float32 `[9]` rad/s, at a time step of the environment."""
        state: BoardState = self._environment.state
        if timestep.first() or self._stale or state.history != self._history:
            self._history, self._stale = state.history, False
            if not timestep.last():
                self._intended = self._choose(state, timestep.observation["legal_actions"])
                self._aim(self._intended)
        elif self._plan is not None and self._astray(self._plan):
            self.account = replace(self.account, missed=self.account.missed + 1)
            self._aim(self._intended)
        return self._follow()

    def _astray(self, plan: Trajectory) -> bool:
        """Whether the press should have been made by now, or the arm is not where it should be."""
        pose = self._environment.simulation.data.qpos[:JOINTS]
        far = np.abs(plan.at(self._time) - pose).max() > _ASTRAY
        return far or self._time > plan.duration + _PATIENCE

    def _choose(self, state: BoardState, legal: np.ndarray) -> int:
        """The move to make; where the player's may not be pressed, the first that may."""
        action = self._demanded
        if action is None and isinstance(self._environment.embedding, HintedEmbedding):
            action = self._environment.embedding.hint
        if action is None:
            action = self._player.advise(state).action
        return action if action is not None and legal[action] else int(legal.argmax())

    def _aim(self, action: int) -> None:
        """Plans a press of `action` from where the arm is."""
        data = self._environment.simulation.data
        pose, fingers = data.qpos[:JOINTS].copy(), data.qpos[JOINTS:].copy()
        hand = data.site_xpos[self._scene.grip_site]
        targets = [
            replace(target, sensor=_SURE * target.sensor, reach=_WITHIN * target.reach)
            for target in nearest(targets_of(action, self._game, self._scene.spec), hand)
        ]
        plans = (self._planner.plan(pose, fingers, target) for target in targets)
        self._plan = next((plan for plan in plans if plan is not None), None)
        self._time = 0.0
        if self._plan is None:
            self.account = replace(self.account, unplanned=self.account.unplanned + 1)

    def _follow(self) -> np.ndarray:
        """The control for the next step."""
        simulation = self._environment.simulation
        if self._plan is None:
            return np.zeros(simulation.model.nu, np.float32)
        step = simulation.control_step
        control = follow(self._plan, self._time, step, simulation.data, self._actuators)
        self._time += step
        return control


def _suitable_player(game: BoardGame) -> Player:
    return make_player("optimal" if game.parsed.short in _SMALL else _SEARCH, game, seed=0)
