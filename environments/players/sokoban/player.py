"""Sokoban's solver as a player: plays a plan of fewest moves.

Imports numba: import this only when levels are solved.
"""

import time

from environments.games.sokoban import rules
from environments.players.base import Advice
from environments.players.sokoban.solver import MAX_NODES, Solution, solve


class SokobanSolver:
    """Advises on `rules.State`: the next move of a plan of fewest moves, and the board after it.

    The plan is kept: positions on it cost no search, whichever way they are come to. A position
    off the plan is searched anew, and its plan replaces the one before. `value` is minus the
    number of moves to the end. What was proved unsolvable, or exceeded `max_nodes`, is remembered
    until the next search; what ran into its deadline is tried again when it is asked again.
    """

    def __init__(self, *, max_nodes: int = MAX_NODES):
        """`max_nodes`: see `solve`."""
        self._max_nodes = max_nodes
        self._known: dict[bytes, Solution] = {}
        self._closed = False

    def advise(self, state: rules.State, deadline: float | None = None) -> Advice:
        """See `Player.advise`."""
        if rules.solved(state):
            return Advice("solved", value=0.0)
        solution = self._known.get(_key(state)) or self._search(state, deadline)
        if solution.status != "solved":
            return Advice(solution.status)
        action, remaining = solution.actions[0], len(solution.actions)
        after = rules.planes(rules.apply(state, action))
        return Advice("advised", action, after, solution.actions, value=-float(remaining))

    def _search(self, state: rules.State, deadline: float | None) -> Solution:
        solution = solve(
            state, max_nodes=self._max_nodes, deadline=deadline, cancelled=lambda: self._closed
        )
        known = {_key(state): solution}
        for done, action in enumerate(solution.actions[:-1], 1):
            state = rules.apply(state, action)
            rest = solution.actions[done:]
            known[_key(state)] = Solution("solved", rest, solution.expanded)
        in_time = deadline is None or time.monotonic() < deadline
        if solution.status != "gave_up" or in_time:
            self._known = known
        return solution

    def reseed(self, seed: int) -> None:
        """Forgets the plan; nothing is random here."""
        del seed
        self._known = {}

    def snapshot(self) -> dict[bytes, Solution]:
        """The plan that is kept."""
        return dict(self._known)

    def restore(self, snapshot: dict[bytes, Solution]) -> None:
        """Goes back to a plan."""
        self._known = dict(snapshot)

    def close(self) -> None:
        """Forgets the plan; a search that another thread runs ends within milliseconds."""
        self._closed = True
        self._known = {}


def _key(state: rules.State) -> bytes:
    """What tells positions apart, of whatever level."""
    boards = (state.level.walls, state.level.targets, state.boxes)
    numbers = (*state.level.shape, *state.player)
    return b"".join(board.tobytes() for board in boards) + repr(numbers).encode()
