"""Named suites: the level sets on which policies are compared."""

from dataclasses import dataclass
from typing import Literal

from environments.errors import UserError, unknown
from environments.games.sokoban.level_files import path_of


@dataclass(frozen=True)
class Suite:
    """A level set to evaluate on. Checkpoints are chosen on validation; test is reported once."""

    levels: str  # a level source
    split: Literal["validation", "test"]
    summary: str


def _boxes(size: int, boxes: int) -> Suite:
    """Levels of our generator with so many boxes; those with many take seconds to make."""
    return Suite(
        f"generated:size={size},boxes={boxes},count=200,seed=1,split=held_out",
        "test",
        f"{size}x{size}, {boxes} {'box' if boxes == 1 else 'boxes'}, none of them seen in training",
    )


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
    "small_2box_held_out": Suite(
        "generated:size=6,boxes=2,count=1000,seed=1,split=held_out",
        "validation",
        "6x6, two boxes, none of them seen in training",
    ),
    "2box_held_out": Suite(
        "generated:size=7,boxes=2,count=1000,seed=1,split=held_out",
        "validation",
        "7x7, two boxes, none of them seen in training",
    ),
    **{f"small_boxes_{boxes}": _boxes(7, boxes) for boxes in range(1, 7)},
    **{f"boxes_{boxes}": _boxes(10, boxes) for boxes in range(1, 8)},
}

# Suites that are played together under one name: generalisation to other numbers of boxes, as in
# the I2A paper, on boards of 10x10, and of 7x7, where more than six hardly fit.
FAMILIES = {
    family: tuple(name for name in SUITES if name.startswith(f"{family}_"))
    for family in ("boxes", "small_boxes")
}


def expand(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same with the suites of a family in its place."""
    return tuple(suite for name in names for suite in FAMILIES.get(name, (name,)))


def levels_of(suite: str) -> str:
    """The level source of a registered suite, or `suite` itself if it is a level source.

    Raises UserError for a name that is neither, and for a family, which is several suites.
    """
    if suite in SUITES:
        return SUITES[suite].levels
    if suite in FAMILIES:
        raise UserError(f"{suite!r} is several suites: give one of {', '.join(FAMILIES[suite])}")
    if any(mark in suite for mark in ":/.\n") or path_of(suite) is not None:
        return suite
    raise unknown("suite", suite, SUITES)
