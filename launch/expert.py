"""A trained policy of a symbolic game as a player: the expert that hints come from."""

import threading
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from environments.errors import UserError
from environments.games.board.game import BoardState
from environments.games.sokoban import rules as sokoban
from environments.games.sokoban.observations import observe
from environments.games.sokoban.spec import board_of
from environments.players.base import Advice
from environments.players.board_advice import GAME_OVER, advice_to_play
from environments.registry import name_of
from launch.policy import Policy, load_policy

_THOUGHTS = 8  # looks at one position, for a policy with memory may pause to think
_compiling = threading.Lock()


def load_expert(run: str, symbolic: str, shape: tuple[int, int]) -> "PolicyExpert":
    """The policy of a run folder as a player, compiled once for all who play it.

    Args:
      run: the folder.
      symbolic: name of the environment that it must have learnt.
      shape: rows and columns of the boards on which it is to advise.

    Raises:
      UserError: the folder holds no policy, or one of another game or size of board.
    """
    policy = load_policy(run)
    learnt = name_of(policy.experiment.environment)
    if learnt != symbolic:
        raise UserError(f"hints.expert={run} is a policy of {learnt}, not of {symbolic}")
    board = board_of(policy.spec)
    fits = all(a >= b for a, b in zip(board, shape, strict=True))
    if board != shape and not (fits and symbolic == "sokoban"):
        raise UserError(
            f"hints.expert={run} plays on boards of {board[0]}x{board[1]}, not of "
            f"{shape[0]}x{shape[1]}"
        )
    expert = PolicyExpert(policy, board)
    expert.compile()
    return expert


@dataclass(frozen=True)
class _Moment:
    core: Any  # NumPy arrays
    begins: bool


class PolicyExpert:
    """Plays greedily what a policy would; Sokoban's smaller boards are padded with walls.

    What the policy remembers goes on from one question to the next, and begins anew with every
    game. In Sokoban it is asked up to 8 times until it moves.
    """

    def __init__(self, policy: Policy, board: tuple[int, int]):
        """`board`: rows and columns that the policy was trained on."""
        self._policy, self._board = policy, board
        self._cpu = jax.devices("cpu")[0]
        self._core, self._begins = policy.initial_core(1), True

    def compile(self) -> None:
        """Compiles the policy, if nobody has: a hint should not have to wait for it."""
        shown = self._policy.spec.observation.items()
        with _compiling:
            self._act({key: np.zeros(x.shape, x.dtype) for key, x in shown})
        self.reseed(0)

    def begin(self) -> None:
        """Forgets the game that was played."""
        self._begins = True

    def advise(self, state: Any, deadline: float | None = None) -> Advice:
        """See `Player.advise`; a few network evaluations, so `deadline` is not looked at."""
        if isinstance(state, BoardState):
            return self._advise_on_board(state)
        if sokoban.solved(state):
            return Advice("solved")
        observation = observe(self._policy.spec.observation, self._padded(state))
        for _ in range(_THOUGHTS):
            action = self._act(observation)
            after = sokoban.apply(state, action)
            if after is not state:
                return Advice("advised", action, sokoban.planes(after), (action,))
        return Advice("gave_up")

    def _advise_on_board(self, state: BoardState) -> Advice:
        if not state.legal.any():
            return GAME_OVER
        observation = {
            "planes": state.planes,
            "player": np.full((*self._board, 1), state.player == 1),
            "legal_actions": state.legal,
        }
        return advice_to_play(state, self._act(observation))

    def _padded(self, state: sokoban.State) -> np.ndarray:
        planes = sokoban.planes(state)
        missing = [(0, a - b) for a, b in zip(self._board, planes.shape[:2], strict=True)]
        padded = np.pad(planes, [*missing, (0, 0)])
        padded[planes.shape[0] :, :, 0] = padded[:, planes.shape[1] :, 0] = True
        return padded

    def _act(self, observation: dict[str, np.ndarray]) -> int:
        batch = {key: np.asarray(observation[key])[None] for key in self._policy.spec.observation}
        with jax.default_device(self._cpu):
            action, self._core = self._policy(batch, np.array([self._begins]), self._core)
        self._begins = False
        return int(action[0])

    def reseed(self, seed: int) -> None:
        """Forgets what came before; nothing is random here."""
        del seed
        self._core, self._begins = self._policy.initial_core(1), True

    def snapshot(self) -> _Moment:
        """What the policy remembers."""
        return _Moment(jax.tree.map(np.asarray, self._core), self._begins)

    def restore(self, snapshot: _Moment) -> None:
        """Goes back to `snapshot`."""
        self._core, self._begins = snapshot.core, snapshot.begins

    def close(self) -> None:
        """There is nothing to free."""
