"""One copy of a level set for all the worlds of a process that play on it."""

import os
import weakref
from pathlib import Path

from environments.games.sokoban.boxoban import VARIABLE
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.sources import load_levels

_in_use: "weakref.WeakValueDictionary[tuple, LevelSet]" = weakref.WeakValueDictionary()


def shared_levels(source: str) -> LevelSet:
    """The levels of a source, as `load_levels` gives them; never to be written to.

    The same object as long as someone holds it and its files are as they were.
    """
    key = source, os.environ.get(VARIABLE), _files(source)
    levels = _in_use.get(key)
    if levels is None:
        levels = _in_use[key] = load_levels(source)
    return levels


def _files(source: str) -> tuple:
    """Names, sizes and times of the files that a path stands for; () if it is no path."""
    path = Path(os.path.expanduser(source))
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path] if path.is_file() else []
    stats = [(file.name, file.stat()) for file in files]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
