"""Named suites: the level sets on which policies are compared."""

from dataclasses import dataclass
from typing import Literal

from environments.errors import unknown


@dataclass(frozen=True)
class Suite:
    """A level set to evaluate on. Checkpoints are chosen on validation; test is reported once."""

    levels: str  # a level source
    split: Literal["validation", "test"]
    summary: str


SUITES = {
    "unfiltered_valid": Suite(
        "boxoban:unfiltered/valid", "validation", "Boxoban 10x10, 4 boxes, as generated"
    ),
    "unfiltered_test": Suite(
        "boxoban:unfiltered/test", "test", "the 1000 levels that most papers report"
    ),
    "medium_valid": Suite(
        "boxoban:medium/valid", "validation", "Boxoban levels that trained policies often failed"
    ),
    "hard": Suite("boxoban:hard", "test", "Boxoban levels that stronger policies still failed"),
    "tiny_held_out": Suite(
        "generated:size=5,boxes=1,count=150,seed=1,split=held_out",
        "validation",
        "5x5, one box, none of them seen in training",
    ),
    "small_held_out": Suite(
        "generated:size=6,boxes=1,count=1000,seed=1,split=held_out",
        "validation",
        "6x6, one box, none of them seen in training",
    ),
    "2box_held_out": Suite(
        "generated:size=7,boxes=2,count=1000,seed=1,split=held_out",
        "validation",
        "7x7, two boxes, none of them seen in training",
    ),
}


def levels_of(suite: str) -> str:
    """The level source of a registered suite, or `suite` itself if it is a level source."""
    if suite in SUITES:
        return SUITES[suite].levels
    if ":" in suite or "/" in suite or "." in suite:
        return suite
    raise unknown("suite", suite, SUITES)
