"""Games between players, for tests."""

from environments.games.board.game import BoardGame, BoardState
from environments.games.board.rules import apply, outcome, planes
from environments.players.base import Player


def move(player: Player, state: BoardState) -> int:
    """The action that a player advises."""
    action = player.advise(state).action
    assert action is not None
    return action


def play(game: BoardGame, first: Player, second: Player) -> BoardState:
    """The end of a game; on the way, every advice must be to play, and tell its target."""
    state = game.initial_state()
    while outcome(state) is None:
        advice = (first, second)[state.player].advise(state)
        assert advice.status == "advised"
        assert advice.action is not None
        state = apply(state, advice.action)
        assert (advice.target_planes == planes(state)).all()
    return state
