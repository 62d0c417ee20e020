"""Symbolic board games against a player, as one `dm_env.Environment` over OpenSpiel's rules."""

from typing import Any

import numpy as np

from environments.games.board import rules
from environments.games.board.game import BoardGame, board_game
from environments.games.board.registration import BoardGameOptions
from environments.games.board.spec import REWARDS, board_spec, starts_second
from environments.players.base import Player
from environments.players.make import make_player
from environments.seeds import OPPONENT, seed_of
from environments.single import Environment, EnvironmentSpec, Progress

_CUT_OFF = Progress(outcome="unfinished", truncated=True)


class BoardEnvironment(Environment):
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
    Reset: the empty board, or with the opponent's first move on it. A level says who begins:
        there are two if `options.begins` is "either", 0 for the agent and 1 for the opponent,
        drawn uniformly, else one. All that is random, the opponent's moves too, follows from
        `seed`.

    No two observations share memory.
    """

    def __init__(
        self, game: BoardGame, opponent: Player, options: BoardGameOptions, *, seed: int = 0
    ):
        """Takes over the opponent: it is closed with the environment.

        `options.opponent` is not looked at.
        """
        super().__init__(seed=seed, time_limit=options.time_limit)
        self._game, self._opponent = game, opponent
        self._spec = board_spec(game.shape, game.num_actions)
        self._starts = starts_second(options)
        self._failed = False

    @classmethod
    def from_options(cls, options: BoardGameOptions, seed: int = 0) -> "BoardEnvironment":
        """Raises UserError if the opponent that `options` name cannot play the game."""
        game = board_game(options.openspiel)
        opponent = make_player(options.opponent, game, seed_of(OPPONENT, seed))
        return cls(game, opponent, options, seed=seed)

    @property
    def spec(self) -> EnvironmentSpec:
        return self._spec

    @property
    def num_levels(self) -> int:
        """How many levels there are to start from: by who begins."""
        return len(self._starts)

    @property
    def player(self) -> int:
        """Which player the agent is: 0 for the first, 1 for the second."""
        return int(self._starts[self._level])

    @property
    def info(self) -> dict[str, np.ndarray]:
        """`outcome`, and whether the opponent failed, which ends the episode: `opponent_failed`."""
        return {**super().info, "opponent_failed": np.asarray(self._failed)}

    def reseed(self, seed: int) -> None:
        super().reseed(seed)
        self._opponent.reseed(seed_of(OPPONENT, seed))

    def begin(self, level: int) -> None:
        """The empty board, or the opponent's first move on it."""
        self._failed = False
        self._state = self._game.initial_state()
        self._answer()

    def advance(self, action: int) -> Progress:
        """The agent's move and its answer."""
        if self._failed:  # to begin the game
            return _CUT_OFF
        if not self.state.legal[action]:
            return Progress(REWARDS["loss"], "loss")
        self._state = rules.apply(self.state, action)
        self._answer()
        outcome = rules.outcome(self.state, self.player)
        if outcome is not None:
            return Progress(REWARDS[outcome], outcome)
        return _CUT_OFF if self._failed else Progress()

    def _answer(self) -> None:
        """The opponent's moves, until it is the agent's turn or the game is over."""
        while self.state.player != self.player and rules.outcome(self.state) is None:
            advice = self._opponent.advise(self.state)
            if advice.action is None or not self.state.legal[advice.action]:
                self._failed = True
                return
            self._state = rules.apply(self.state, advice.action)

    def observation(self) -> dict[str, np.ndarray]:
        over = self._outcome not in (None, "unfinished")
        legal = self.state.legal
        return {
            "planes": self.planes(),
            "player": np.full((*self._game.shape, 1), self.player == 1),
            "legal_actions": np.zeros_like(legal) if over else legal.copy(),
        }

    def planes(self) -> np.ndarray:
        return self.state.planes.copy()

    def _more(self) -> Any:
        return self._failed, self._opponent.snapshot()

    def _set_more(self, more: Any) -> None:
        self._failed, opponent = more
        self._opponent.restore(opponent)

    def close(self) -> None:
        """Ends the opponent."""
        self._opponent.close()
