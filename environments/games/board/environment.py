"""Symbolic board games against a player, as one `dm_env.Environment` over OpenSpiel's rules."""

import operator
from typing import Any

import dm_env
import numpy as np
from dm_env import specs

from environments.base import EnvironmentSpec
from environments.games.board import rules
from environments.games.board.game import BoardGame, BoardState, board_game
from environments.games.board.registration import BoardGameOptions
from environments.games.board.spec import REWARDS, board_spec, starts_second
from environments.players.base import Player
from environments.players.make import make_player
from environments.seeds import OPPONENT, seed_of


class BoardEnvironment(dm_env.Environment):
    """A game of two players, of whom one is the agent; the other answers within the step.

    Observation: a dict, for a board of `H, W` and `A` actions; it is the agent's turn:
        planes: `[H, W, 3] bool`: empty, first player's stone, second player's stone.
        player: `[H, W, 1] bool`: whether the agent is the second player, alike in every cell.
        legal_actions: `[A] bool`; none after the end of the game.
    Action: an integer (spec: int32) that names a cell, as OpenSpiel numbers them: in tic-tac-toe
        by rows from the top left, in Go from the bottom left, and its last action is a pass. An
        illegal one loses the game at once, and changes nothing on the board. What is no action
        at all raises ValueError.
    Reward: float32, at the end: 1 for a win, -1 for a loss, else 0.
    Termination: the game is over: LAST with discount 0, outcome `win`, `draw` or `loss`. Go ends
        with two passes running, or after 2 H W moves, and is then scored as it stands; or when a
        position of the whole board comes again, which whoever moved loses.
    Truncation: after `options.time_limit` moves of the agent, if that is not 0, or if the
        opponent itself fails (its program died, say): LAST with discount 1, `unfinished`, and
        `info["opponent_failed"]`.
    Discount: float32, 1 but at a termination. As dm_env has it, a FIRST has neither reward nor
        discount: both are None.
    Reset: the empty board, or with the opponent's first move on it. A level says who begins:
        there are two if `options.begins` is "either", 0 for the agent and 1 for the opponent,
        drawn uniformly, else one. A step after LAST, or before any reset, ignores its action and
        resets. All that is random, the opponent's moves too, follows from `seed`.

    No two observations share memory.
    """

    def __init__(
        self, game: BoardGame, opponent: Player, options: BoardGameOptions, *, seed: int = 0
    ):
        """Takes over the opponent: it is closed with the environment.

        `options.opponent` is not looked at.
        """
        self._game, self._opponent, self._options = game, opponent, options
        self._spec = board_spec(game.shape, game.num_actions)
        self._rng = np.random.default_rng(seed)
        self._starts = starts_second(options)
        self._level_index = 0
        self._state: BoardState | None = None
        self._moves = 0  # of the agent, in this episode
        self._outcome: str | None = None
        self._failed = False

    @classmethod
    def from_options(cls, options: BoardGameOptions, seed: int = 0) -> "BoardEnvironment":
        """Raises UserError if the opponent that `options` name cannot play the game."""
        game = board_game(options.openspiel)
        opponent = make_player(options.opponent, game, seed_of(OPPONENT, seed))
        return cls(game, opponent, options, seed=seed)

    @property
    def spec(self) -> EnvironmentSpec:
        """What an agent may know."""
        return self._spec

    @property
    def num_levels(self) -> int:
        """How many levels there are to start from: by who begins."""
        return len(self._starts)

    @property
    def level_index(self) -> int:
        """The level that is being played."""
        return self._level_index

    @property
    def state(self) -> BoardState:
        """The position. Raises RuntimeError before the first reset."""
        if self._state is None:
            raise RuntimeError("there is no state before the first reset")
        return self._state

    @property
    def player(self) -> int:
        """Which player the agent is: 0 for the first, 1 for the second."""
        return int(self._starts[self._level_index])

    @property
    def outcome(self) -> str | None:
        """How the episode ended, one of `spec.outcomes`; None until it has."""
        return self._outcome

    @property
    def info(self) -> dict[str, np.ndarray]:
        """Whether the opponent failed, and so ends the episode: `opponent_failed`, bool."""
        return {"opponent_failed": np.asarray(self._failed)}

    def reset(self) -> dm_env.TimeStep:
        """Starts an episode on a level drawn at random."""
        return self.reset_to(int(self._rng.integers(len(self._starts))))

    def reset_to(self, level: int) -> dm_env.TimeStep:
        """Starts an episode on `level`; IndexError if there is no such level."""
        if not 0 <= level < len(self._starts):
            raise IndexError(f"level must be 0 to {len(self._starts) - 1}, not {level}")
        self._level_index, self._moves = level, 0
        self._outcome, self._failed = None, False
        self._state = self._game.initial_state()
        self._answer()
        return dm_env.restart(self._observe())

    def step(self, action: Any) -> dm_env.TimeStep:
        """Makes a move and has it answered, or resets if none has begun or all is over."""
        if self._state is None or self._outcome is not None:
            return self.reset()
        self._outcome = self._move(self._checked(action))
        reward = np.float32(REWARDS.get(self._outcome or "", 0.0))
        discount = np.float32(self._outcome in (None, "unfinished"))
        step_type = dm_env.StepType.LAST if self._outcome else dm_env.StepType.MID
        return dm_env.TimeStep(step_type, reward, discount, self._observe())

    def _move(self, action: int) -> str | None:
        """The agent's move and its answer; what they have come to."""
        if self._failed:  # to begin the game
            return "unfinished"
        self._moves += 1
        if not self.state.legal[action]:
            return "loss"
        self._state = rules.apply(self.state, action)
        self._answer()
        cut_off = self._failed or self._moves == self._options.time_limit
        return rules.outcome(self.state, self.player) or ("unfinished" if cut_off else None)

    def _answer(self) -> None:
        """The opponent's moves, until it is the agent's turn or the game is over."""
        while self.state.player != self.player and rules.outcome(self.state) is None:
            advice = self._opponent.advise(self.state)
            if advice.action is None or not self.state.legal[advice.action]:
                self._failed = True
                return
            self._state = rules.apply(self.state, advice.action)

    def _checked(self, action: Any) -> int:
        try:
            if isinstance(action, bool):
                raise TypeError
            index = operator.index(action)
        except TypeError:
            raise ValueError(f"action must be an integer, not {action!r}") from None
        if not 0 <= index < self._game.num_actions:
            raise ValueError(f"action must be in 0 to {self._game.num_actions - 1}, not {index}")
        return index

    def _observe(self) -> dict[str, np.ndarray]:
        over = self._outcome not in (None, "unfinished")
        legal = self.state.legal
        return {
            "planes": self.state.planes.copy(),
            "player": np.full((*self._game.shape, 1), self.player == 1),
            "legal_actions": np.zeros_like(legal) if over else legal.copy(),
        }

    def observation_spec(self) -> dict[str, specs.Array]:
        """One spec for each key of the observation."""
        return self._spec.observation

    def action_spec(self) -> specs.DiscreteArray:
        """A cell, or the pass."""
        assert isinstance(self._spec.action, specs.DiscreteArray)
        return self._spec.action

    def reward_spec(self) -> specs.Array:
        """A float32 scalar."""
        return specs.Array((), np.float32, name="reward")

    def discount_spec(self) -> specs.BoundedArray:
        """A float32 scalar in [0, 1]."""
        return specs.BoundedArray((), np.float32, 0.0, 1.0, name="discount")

    def close(self) -> None:
        """Ends the opponent."""
        self._opponent.close()
