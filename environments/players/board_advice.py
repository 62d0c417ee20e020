"""Advice on positions of board games, as every player of them gives it."""

from environments.games.board.game import BoardState
from environments.games.board.rules import apply, planes
from environments.players.base import Advice

GAME_OVER = Advice("solved")


def advice_to_play(state: BoardState, action: int, value: float | None = None) -> Advice:
    """Advice to play `action`, which is legal; `value` in [-1, 1] as whoever moves sees it."""
    action = int(action)
    target = planes(apply(state, action))
    return Advice("advised", action, target, plan=(action,), value=value)
