"""Options of the tree search."""

import math
from dataclasses import dataclass

from environments.errors import UserError


@dataclass(frozen=True)
class SearchOptions:
    """How much, and by which measure, the tree is searched at every decision."""

    # Leaves that are expanded for every decision, each by one step of the model.
    simulations: int = 200
    # Steps at random from every leaf, whose return is its value, if there is no network.
    rollout: int = 20
    # Discount of future rewards for each step; a network's own, if there is one (DRC's here).
    discount: float = 0.97
    # How much the prior counts beside the values found: c_1 of MuZero (1911.08265, appendix B). It
    # is 1.25 there. Of 250 levels of 6x6 with one box, without a network, 200 simulations solve
    # 92.4 % with 1.25, and 96.4 % with 3; of 1000, with a weak network, 88.8 % and 89.3 %.
    exploration: float = 3.0

    def __post_init__(self):
        if self.simulations < 1:
            raise UserError(f"simulations must be at least 1, not {self.simulations}")
        if self.rollout < 0:
            raise UserError(f"rollout must be at least 0, not {self.rollout}")
        if not 0 < self.discount <= 1:
            raise UserError(f"discount must be above 0 and at most 1, not {self.discount}")
        if not 0 <= self.exploration < math.inf:
            raise UserError(f"exploration must be a number from 0, not {self.exploration}")
