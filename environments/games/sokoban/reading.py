"""What was read of a level source: the levels that can be used, and what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from environments.errors import UserError
from environments.games.sokoban.level import LevelSet

Shape = tuple[int, int]


@dataclass(frozen=True)
class Reading:
    """The levels of a file."""

    levels: LevelSet | None  # None if none can be used
    left_out: tuple[str, ...] = ()  # for each that cannot: where it is and why


def misfit(shape: Shape, largest: Shape | None) -> str | None:
    """Why levels of this shape cannot be used where `largest` is the most; None if they can."""
    if largest is None or (shape[0] <= largest[0] and shape[1] <= largest[1]):
        return None
    return f"levels of {shape[0]}x{shape[1]} do not fit a {largest[0]}x{largest[1]} board"


def all_or_none(levels: LevelSet, name: str, largest: Shape | None) -> Reading:
    """The reading of levels of one size, from a file called `name`."""
    what = misfit(levels.shape, largest)
    return Reading(None, (f"{name}: {what}",)) if what else Reading(levels)


def joined(readings: Sequence[Reading], source: str) -> LevelSet:
    """One set of all levels, in order, padded to the largest board.

    Raises UserError if there are none.
    """
    left_out = tuple(line for reading in readings for line in reading.left_out)
    sets = [reading.levels for reading in readings if reading.levels is not None]
    if not sets:
        raise UserError(summary(left_out))
    shape = (max(levels.shape[0] for levels in sets), max(levels.shape[1] for levels in sets))
    sets = [levels.padded(shape) for levels in sets]
    if len(sets) == 1:
        return replace(sets[0], source=source, left_out=left_out)
    return LevelSet(
        source,
        shape,
        walls=np.concatenate([levels.walls for levels in sets]),
        targets=np.concatenate([levels.targets for levels in sets]),
        boxes=np.concatenate([levels.boxes for levels in sets]),
        player=np.concatenate([levels.player for levels in sets]),
        left_out=left_out,
    )


def summary(left_out: Sequence[str]) -> str:
    """What is left out, in one line."""
    more = f" (and {len(left_out) - 1} more)" if len(left_out) > 1 else ""
    return f"{left_out[0]}{more}"
