"""Perfect play in games so small that every position can be looked at."""

from functools import cache
from typing import Any

import numpy as np

from environments.errors import UserError
from environments.games.board.game import BoardGame, BoardState
from environments.players.base import Advice
from environments.players.board_advice import GAME_OVER, advice_to_play

MAX_CELLS = 16
MAX_POSITIONS = 200_000  # tic-tac-toe has 5478

Key = tuple[int, bytes]  # whose turn it is, and the board


class ValueTable:
    """Plays an action of the highest exact value, all such actions equally likely."""

    def __init__(self, game: BoardGame, seed: int):
        """Searches the whole game, once in a process. Raises UserError if it is too large."""
        self._values = values_of(game)
        self._rng = np.random.default_rng(seed)

    def advise(self, state: BoardState, deadline: float | None = None) -> Advice:
        """See `Player.advise`; the value is exact. A look-up, so `deadline` is not looked at."""
        if not state.legal.any():
            return GAME_OVER
        actions, value = best_actions(state, self._values)
        return advice_to_play(state, self._rng.choice(actions), value=float(value))

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


def best_actions(state: BoardState, values: dict[Key, int]) -> tuple[np.ndarray, int]:
    """The actions of the highest value, and that value for whoever moves; not after the end."""
    actions = np.flatnonzero(state.legal)
    sign = 1 if state.player == 0 else -1
    children = (state.position.child(action) for action in actions)
    found = np.array([sign * values[_key(child)] for child in children])
    return actions[found == found.max()], int(found.max())


@cache
def values_of(game: BoardGame) -> dict[Key, int]:
    """The value of every position for the first player: 1 a win, 0 a draw, -1 a loss.

    Raises UserError if there are too many positions, or if players may pass.
    """
    if game.pass_action is not None:
        raise UserError(f"optimal play of {game.name} is not known: try mcts(simulations=1000)")
    if int((~game.absent).sum()) > MAX_CELLS:
        raise _too_large(game)
    values: dict[Key, int] = {}
    _search(game.initial_state().position, values, game)
    return values


def _too_large(game: BoardGame) -> UserError:
    return UserError(
        f"{game.name} is too large for optimal play (at most {MAX_CELLS} cells and "
        f"{MAX_POSITIONS:,} positions): try mcts(simulations=1000)"
    )


def _key(position: Any) -> Key:
    return position.current_player(), np.array(position.observation_tensor(0), np.int8).tobytes()


def _search(position: Any, values: dict[Key, int], game: BoardGame) -> int:
    """The value of `position` for the first player, after entering it and all that follow it."""
    key = _key(position)
    if key in values:
        return values[key]
    if len(values) >= MAX_POSITIONS:
        raise _too_large(game)
    if position.is_terminal():
        value = int(position.returns()[0])
    else:
        choose = max if position.current_player() == 0 else min
        actions = position.legal_actions()
        value = choose([_search(position.child(action), values, game) for action in actions])
    values[key] = value
    return value
