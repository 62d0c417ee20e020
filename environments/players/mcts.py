"""Monte Carlo tree search with random playouts: OpenSpiel's, in C++."""

import atexit
import ctypes
import time
from typing import Any

import numpy as np

from environments.errors import UserError
from environments.games.board.game import BoardGame, BoardState
from environments.games.board.rules import legal_actions
from environments.players.base import Advice
from environments.players.board_advice import GAME_OVER, advice_to_play

_MEMORY = 256  # MB for one search
_TRIAL = 20  # simulations that tell how long one takes
_MARGIN = 2.0  # how much longer than in the trial the others may take


class Mcts:
    """Searches anew at every move, with a seed drawn from a generator of its own.

    The search runs outside Python's global lock, so other threads go on. It proves wins and
    losses where it can (MCTS-Solver), and takes a superko repetition in Go for a draw, as
    OpenSpiel does, though `rules.outcome` calls it a loss.
    """

    def __init__(
        self,
        game: BoardGame,
        seed: int,
        simulations: int = 100,
        exploration: float = 2.0,
        rollouts: int = 1,
    ):
        """`exploration`: the constant of UCT. `rollouts`: random games for each new position.

        Raises UserError if one of them is out of range.
        """
        if not 1 <= simulations <= 10_000_000:
            raise UserError(f"mcts: simulations must be from 1 to 10000000, not {simulations}")
        if not 0 <= exploration <= 1000:
            raise UserError(f"mcts: exploration must be from 0 to 1000, not {exploration}")
        if not 1 <= rollouts <= 1000:
            raise UserError(f"mcts: rollouts must be from 1 to 1000, not {rollouts}")
        self._game = game
        self._simulations, self._exploration = simulations, exploration
        self._rollouts = rollouts
        self._rng = np.random.default_rng(seed)

    def advise(self, state: BoardState, deadline: float | None = None) -> Advice:
        """See `Player.advise`; a search that `deadline` cuts short is no longer reproducible."""
        if not legal_actions(state).any():
            return GAME_OVER
        seed = int(self._rng.integers(2**31))
        # `mcts_search` would tell a value as well, but keeps the lock while it runs.
        action = _search(self._bot(seed, self._time_limit(state, seed, deadline)), state)
        return advice_to_play(state, action)

    def _time_limit(self, state: BoardState, seed: int, deadline: float | None) -> float:
        """Seconds for the search; -1, for no limit, if it will be done in time anyway.

        With a limit OpenSpiel's search goes on until then, however many simulations it makes.
        """
        if deadline is None:
            return -1.0
        start = time.monotonic()
        if start >= deadline:
            return 1e-3
        _search(self._bot(seed, -1.0, min(_TRIAL, self._simulations)), state)
        now = time.monotonic()
        expected = _MARGIN * (now - start) * self._simulations / min(_TRIAL, self._simulations)
        return -1.0 if now + expected <= deadline else max(deadline - now, 1e-3)

    def _bot(self, seed: int, seconds: float, simulations: int | None = None) -> Any:
        import pyspiel

        return pyspiel.MCTSBot(
            self._game.openspiel,
            pyspiel.RandomRolloutEvaluator(self._rollouts, seed),
            self._exploration,
            simulations or self._simulations,
            _MEMORY,
            solve=True,
            seed=seed,
            verbose=False,
            max_wall_clock_time=seconds,
        )

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


_running: set[int] = set()  # bots that search


def _search(bot: Any, state: BoardState) -> int:
    """The move that the bot finds; other threads go on meanwhile."""
    _running.add(id(bot))
    try:
        return bot.step(state.position)
    finally:
        _running.discard(id(bot))


@atexit.register
def _leave() -> None:
    """Lets the interpreter end under a search of another thread, which nothing can stop.

    Two things would crash then. The destructors of C++ take apart what the search works with: glibc
    ends the process before them, with the status that it has. And a search that is done asks for
    the lock of Python, which ends its thread in a way that C++ takes for an error: it waits then.
    """
    libc = ctypes.CDLL(None)
    if _running and hasattr(libc, "on_exit"):
        libc.on_exit(libc._exit, None)
        ctypes.CDLL("libstdc++.so.6")._ZSt13set_terminatePFvvE(libc.pause)  # std::set_terminate
        libc.alarm(60)  # s: should anything else wait there, the process ends all the same
