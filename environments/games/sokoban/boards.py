"""The levels that options ask for, on boards of the size that they ask for."""

from environments.errors import UserError
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.sources import load_levels


def levels_of(options: SokobanOptions) -> LevelSet:
    """The levels of `options` on boards of its size; UserError if they are wrong or too large."""
    levels = load_levels(options.levels)
    if options.board == (0, 0):
        return levels
    try:
        return levels.padded(options.board)
    except ValueError as error:
        raise UserError(f"{options.levels}: {error}") from error
