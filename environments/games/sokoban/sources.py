"""Level sources: strings that name a level set.

boxoban:SET[/SPLIT]                                       the published levels
generated:size=6,boxes=1,count=5000,seed=0[,split=train]  made here (split: train or held_out)
PATH                                                      a level file, packed or text, or a folder
"""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from environments.errors import UserError, reason, unknown
from environments.games.sokoban.boxoban import boxoban_folder
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.packed import MAGIC, SUFFIX, unpack_levels
from environments.games.sokoban.text import decode_levels

SPLITS = ("train", "held_out")
EXAMPLE = "generated:size=6,boxes=1,count=5000,seed=0"
KINDS = f"boxoban:SET/SPLIT or {EXAMPLE}"
_LIMITS = {  # least and greatest value
    "size": (4, 64),
    "boxes": (1, 64),
    "count": (1, 10_000_000),
    "seed": (0, 2**63 - 1),
}


@dataclass(frozen=True)
class Generated:
    """What a `generated:` source asks for."""

    size: int
    boxes: int
    count: int
    seed: int
    split: str = "train"


def parse_generated(source: str) -> Generated:
    """Reads `generated:size=..,boxes=..,count=..,seed=..[,split=..]`; raises UserError."""
    values: dict[str, str] = {}
    for item in source.removeprefix("generated:").split(","):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals:
            raise UserError(f"{source}: {item!r} is not KEY=VALUE")
        if key not in (*_LIMITS, "split"):
            raise unknown("key of a generated: source", key, (*_LIMITS, "split"))
        if key in values:
            raise UserError(f"{source}: {key} is given twice")
        values[key] = value
    split = values.pop("split", "train")
    if split not in SPLITS:
        raise unknown("split of generated levels", split, SPLITS)
    missing = [key for key in _LIMITS if key not in values]
    if missing:
        raise UserError(f"{source}: {missing[0]} is missing; write {EXAMPLE}")
    wanted = Generated(**{key: _number(source, key, values[key]) for key in _LIMITS}, split=split)
    room = (wanted.size - 2) ** 2
    if 2 * wanted.boxes + 1 > room:
        raise UserError(
            f"{source}: {wanted.boxes} boxes, their targets and the player do not fit "
            f"the {room} cells within a board of size {wanted.size}"
        )
    return wanted


def _number(source: str, key: str, text: str) -> int:
    low, high = _LIMITS[key]
    if not (text.isascii() and text.isdecimal() and low <= int(text) <= high):
        raise UserError(
            f"{source}: {key} must be a whole number from {low} to {high}, not {text!r}"
        )
    return int(text)


def load_levels(source: str) -> LevelSet:
    """The level set that a source names, in the order of its files.

    Levels of different sizes are padded with walls to the largest. Raises UserError with one line
    on what to do if the source is misspelt, cannot be reached, or holds a malformed level.
    """
    kind, colon, rest = source.partition(":")
    if kind == "generated" and colon:
        from environments.games.sokoban.generator import generate

        wanted = parse_generated(source)
        size = wanted.size
        levels = generate(size, size, wanted.boxes, wanted.count, wanted.seed, wanted.split)
        return dataclasses.replace(levels, source=source)
    if kind == "boxoban" and colon:
        return _read_folder(boxoban_folder(rest), source)
    return _read_path(source)


def _read_path(source: str) -> LevelSet:
    """Levels of a file, packed or text, or of all the text files of a folder."""
    path = Path(os.path.expanduser(source))
    if source and os.path.isdir(path):
        return _read_folder(path, source)
    if not source or not os.path.exists(path):
        kind, colon, _ = source.partition(":")
        if colon and "/" not in kind:
            raise unknown("kind of level source", kind, ("boxoban", "generated"))
        raise UserError(f"{source!r} is no file or folder; levels come from a path, {KINDS}")
    return dataclasses.replace(_read_file(path), source=source)


def _read_file(path: Path) -> LevelSet:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {reason(error)}") from None
    packed = path.suffix == SUFFIX or data.startswith(MAGIC)
    return (unpack_levels if packed else decode_levels)(data, str(path))


def _read_folder(folder: Path, source: str) -> LevelSet:
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise UserError(f"{folder}: this folder holds no level files (*.txt)")
    return _concatenate([_read_file(file) for file in files], source)


def _concatenate(sets: list[LevelSet], source: str) -> LevelSet:
    """One set of all levels, in order, padded to the largest board."""
    shape = (max(levels.shape[0] for levels in sets), max(levels.shape[1] for levels in sets))
    sets = [levels.padded(shape) for levels in sets]
    return LevelSet(
        source,
        shape,
        walls=np.concatenate([levels.walls for levels in sets]),
        targets=np.concatenate([levels.targets for levels in sets]),
        boxes=np.concatenate([levels.boxes for levels in sets]),
        player=np.concatenate([levels.player for levels in sets]),
    )
