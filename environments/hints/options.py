"""Options of hints; loads nothing but Python."""

import math
from dataclasses import dataclass
from typing import Literal

from environments.errors import UserError, unknown
from environments.option_types import check_types

# What is told: nothing; the abstract action; the board after it; both of these; where the acting
# body should go to make it.
HintKind = Literal["none", "action", "planes", "both", "target"]
KINDS = ("none", "action", "planes", "both", "target")


@dataclass(frozen=True)
class HintOptions:
    """An expert's advice on the abstract state: as information, and as reward, each by itself."""

    # Who advises: solver for Sokoban, a player for board games (optimal, mcts(simulations=100),
    # gnugo(level=1), ...), or the run folder of a policy of the symbolic game. Empty: nobody.
    expert: str = ""
    # What is told: none, action, planes (the board after it), both, or target (where the acting
    # body should go, seen from it, in metres). hint/present says whether there is advice.
    kind: HintKind = "both"
    # Reward for doing what was hinted at.
    reached: float = 0.0
    # Penalty for changing the board in another way.
    missed: float = 0.0
    # Reward for each metre by which the acting body comes nearer to the hint's target and, as far
    # as the expert's plan tells, to the end of the way: a difference of potentials, which leaves
    # the best policy what it is. Where until_lost ends an episode, it also costs something.
    shaping: float = 0.0
    # Discount of these potentials: that of the agent, or training is refused.
    discount: float = 0.99
    # Part of the episodes in which nothing is told, so that a policy may learn to do without.
    dropout: float = 0.0
    # Ends an episode with its first move, won if it was the one hinted at: a test of whether hints
    # can be followed. Board games only.
    single: bool = False
    # Ends an episode, in training alone, once the expert has proved that it is lost: what comes
    # after would teach nothing. Sokoban only.
    until_lost: bool = False
    # Seconds for which a new board waits for its advice; the world goes on without it then, and
    # is told when it comes.
    wait: float = 10.0

    def __post_init__(self):
        check_types(self, "hints.")
        if self.kind not in KINDS:
            raise unknown("kind of hint", self.kind, KINDS)
        for name in ("reached", "missed", "shaping", "wait"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise UserError(f"hints.{name} must be a number of at least 0, not {value}")
        if not 0 < self.discount <= 1:
            raise UserError(f"hints.discount must be above 0 and at most 1, not {self.discount}")
        if not 0 <= self.dropout <= 1:
            raise UserError(f"hints.dropout must be between 0 and 1, not {self.dropout}")
        needy = ("reached", "missed", "shaping", "dropout", "single", "until_lost")
        if not self.expert and any(getattr(self, name) for name in needy):
            raise UserError("hints need hints.expert: who is to give them?")
