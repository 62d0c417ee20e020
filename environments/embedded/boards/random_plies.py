"""Start positions by chance: random moves before a game begins, for boards with stones on them."""

import numpy as np

from environments.games.board import rules
from environments.games.board.game import BoardState


def random_position(
    start: BoardState, player: int, most: int, rng: np.random.Generator
) -> BoardState:
    """A position of a game that goes on, with `player` to move.

    Args:
      start: where `player` is to move.
      player: 0 or 1.
      most: random legal moves after it, of both; how many is drawn uniformly from 0 to `most`.
        A player passes only if nothing else is legal. There are fewer where the game would be
        over, or the other would be to move.
      rng: draws number and moves.
    """
    state = found = start
    passing = start.game.pass_action
    for _ in range(int(rng.integers(most + 1))):
        legal = np.flatnonzero(rules.legal_actions(state))
        if len(legal) > 1:
            legal = legal[legal != passing]
        state = rules.apply(state, int(rng.choice(legal)))
        if rules.outcome(state) is not None:
            break
        if state.player == player:
            found = state
    return found
