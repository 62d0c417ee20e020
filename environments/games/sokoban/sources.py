"""Level sources: strings that name a level set.

boxoban:SET[/SPLIT]                                       the published levels
generated:size=6,boxes=1,count=5000,seed=0[,split=train]  made here (split: train or held_out)
PATH                                                      a level file, packed or text, or a folder
the rows of levels                                        text with more than one line
"""

import functools
import logging
import os
import threading
import weakref
from pathlib import Path

from environments.errors import UserError, unknown
from environments.games.sokoban.boxoban import VARIABLE, boxoban_folder
from environments.games.sokoban.generated import EXAMPLE, parse_generated
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.level_files import (
    PACKED,
    SUFFIXES,
    level_files,
    path_of,
    read,
    stamps,
)
from environments.games.sokoban.packed import MAGIC, unpack_levels
from environments.games.sokoban.reading import (
    Reading,
    Shape,
    all_or_none,
    joined,
    misfit,
    summary,
)
from environments.games.sokoban.text import read_text

_PLACES = (VARIABLE, "XDG_CACHE_HOME", "HOME")  # what says where Boxoban's levels lie
_in_use: "weakref.WeakValueDictionary[tuple, LevelSet]" = weakref.WeakValueDictionary()
_loading = threading.Lock()
_log = logging.getLogger(__name__)


def load_levels(
    source: str | os.PathLike, board: Shape = (0, 0), *, largest: Shape | None = None
) -> LevelSet:
    """The level set that a source names, in the order of its files; not to be written to.

    The same object for all who ask for it, as long as one of them holds it and its files are as
    they were. Levels that are drawn wrong, are solved already, or are larger than `board` or
    `largest` are left out: a warning says so, once, and `LevelSet.left_out` lists them.

    Args:
      source: see the module.
      board: the size H, W to which levels are padded with walls; (0, 0) for the largest level's.
      largest: the most rows and columns that are of use, if there is no `board`.

    Raises UserError with one line on what to do if the source is misspelt, cannot be reached, or
    holds no level of use.
    """
    source = os.fspath(source)
    largest = largest if board == (0, 0) else board
    places = tuple(os.environ.get(name) for name in _PLACES)
    key = source, board, largest, places, stamps(source)
    with _loading:
        levels = _in_use.get(key)
        if levels is None:
            levels = joined(readings(source, largest), source)
            levels = _in_use[key] = levels if board == (0, 0) else levels.padded(board)
            if levels.left_out:
                _warn(_left_out(levels))
    return levels


@functools.lru_cache(maxsize=1024)
def _warn(message: str) -> None:
    """Says once in a process what may be found many times."""
    _log.warning("%s", message)


def _left_out(levels: LevelSet) -> str:
    source = levels.source if "\n" not in levels.source else "levels"
    kept = f"{len(levels)} level{'s' if len(levels) > 1 else ''}"
    return (
        f"{source}: {kept}; left out: {summary(levels.left_out)}; `moravec levels check` lists all"
    )


def readings(source: str, largest: Shape | None = None) -> list[Reading]:
    """What is in each file of a source, without a word of what is left out.

    Raises UserError as `load_levels` does, but not for lack of a level that can be used.
    """
    kind, colon, rest = source.partition(":")
    if "\n" in source:
        return [read_text(source.encode(errors="replace"), "levels", largest)]
    if kind == "generated" and colon:
        return [_generated(source, largest)]
    if kind == "boxoban" and colon:
        files = sorted(boxoban_folder(rest).glob("*.txt"))
        return [_reading(file, largest) for file in files]
    path = path_of(source)
    if path is None:
        if colon and "/" not in kind:
            raise unknown("kind of level source", kind, ("boxoban", "generated"))
        kinds = f"boxoban:SET/SPLIT or {EXAMPLE}"
        here = "" if os.path.isabs(source) else f" in {os.getcwd()}"
        raise UserError(f"{source!r} is no file or folder{here}; levels come from a path, {kinds}")
    if path.is_dir():
        return _folder(path, largest)
    return [_reading(path, largest)]


def _generated(source: str, largest: Shape | None) -> Reading:
    from environments.games.sokoban.generator import generate

    wanted = parse_generated(source)
    size = wanted.size
    if what := misfit((size, size), largest):
        raise UserError(f"{source}: {what}")
    return Reading(generate(size, size, wanted.boxes, wanted.count, wanted.seed, wanted.split))


def _folder(folder: Path, largest: Shape | None) -> list[Reading]:
    """The readings of all level files; one of which nothing can be read is left out."""
    files = level_files(folder)
    if not files:
        kinds = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
        raise UserError(f"{folder}: this folder holds no level files ({kinds})")
    readings = []
    for file in files:
        try:
            readings.append(_reading(file, largest))
        except UserError as error:
            readings.append(Reading(None, (str(error),)))
    return readings


def _reading(file: Path, largest: Shape | None) -> Reading:
    data, name = read(file), str(file)
    if file.suffix.lower() == PACKED or data.startswith(MAGIC):
        return all_or_none(unpack_levels(data, name), name, largest)
    return read_text(data, name, largest)
