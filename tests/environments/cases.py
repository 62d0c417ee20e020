"""For every registered environment, the options and actions with which the tests run it.

A new environment adds its line; the contract tests and the playthroughs then cover it.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dm_env

from environments import load

LEVELS = Path(__file__).parent / "levels.txt"


@dataclass(frozen=True)
class Case:
    """Small options whose episodes end soon, with every key an observation may have."""

    options: dict[str, Any]
    variants: tuple[dict[str, Any], ...] = ()  # further options, for the contract tests
    actions: tuple[int, ...] = ()  # of the playthrough
    symbols: dict[int, str] = field(default_factory=dict)  # of a cell, by its planes as a number

    def load(self, name: str, *, seed: int = 0, **options: Any) -> dm_env.Environment:
        return load(name, seed=seed, **{**self.options, **options})


CASES = {
    "sokoban": Case(
        options={
            "levels": str(LEVELS),
            "observations": ("planes", "pixels", "sprites"),
            "time_limit": (5, 8),
        },
        variants=({"noop": True}, {"observations": ("pixels",)}, {"time_limit": (1, 1)}),
        # A box pushed off its target, blocked moves, the time limit; then two levels solved, the
        # first at its last step. The step after each end is the reset.
        actions=(1, 0, 3, 2, 0, 0, 0, 0, 3, 0, 2, 0, 2, 1, 0, 0, 0, 1, 3, 0),
        symbols={0: " ", 1: "#", 2: ".", 4: "@", 6: "+", 8: "$", 10: "*"},
    ),
}
