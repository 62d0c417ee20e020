"""A player that plays any legal action, all equally likely."""

from typing import Any

import numpy as np

from environments.games.board.game import BoardState
from environments.games.board.rules import legal_actions
from environments.players.base import Advice
from environments.players.board_advice import GAME_OVER, advice_to_play


class RandomPlayer:
    """Plays a uniformly random legal action of a board game; a pass only if there is no other.

    One that passed as readily as it puts stones would often end a game of Go early.
    """

    def __init__(self, seed: int):
        self._rng = np.random.default_rng(seed)

    def advise(self, state: BoardState, deadline: float | None = None) -> Advice:
        """See `Player.advise`; takes no time to speak of, so `deadline` is not looked at."""
        actions = np.flatnonzero(legal_actions(state))
        if not len(actions):
            return GAME_OVER
        if len(actions) > 1:
            actions = actions[actions != state.game.pass_action]
        return advice_to_play(state, self._rng.choice(actions))

    def reseed(self, seed: int) -> None:
        """See `Player.reseed`."""
        self._rng = np.random.default_rng(seed)

    def snapshot(self) -> Any:
        """The random generator's state."""
        return self._rng.bit_generator.state

    def restore(self, snapshot: Any) -> None:
        """See `Player.restore`."""
        self._rng.bit_generator.state = snapshot

    def close(self) -> None:
        """Nothing is held."""
