"""Level sources: strings that name a level set.

boxoban:SET[/SPLIT]                                       the published levels
generated:size=6,boxes=1,count=5000,seed=0[,split=train]  made here (split: train or held_out)
PATH                                                      a level file, packed or text, or a folder
"""

import dataclasses
from dataclasses import dataclass

from environments.errors import UserError, unknown
from environments.games.sokoban.level import LevelSet

SPLITS = ("train", "held_out")
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
        raise UserError(f"{source}: {missing[0]} is missing; write {_EXAMPLE}")
    wanted = Generated(**{key: _number(source, key, values[key]) for key in _LIMITS}, split=split)
    room = (wanted.size - 2) ** 2
    if 2 * wanted.boxes + 1 > room:
        raise UserError(
            f"{source}: {wanted.boxes} boxes, their targets and the player do not fit "
            f"the {room} cells within a board of size {wanted.size}"
        )
    return wanted


_EXAMPLE = "generated:size=6,boxes=1,count=5000,seed=0"


def _number(source: str, key: str, text: str) -> int:
    low, high = _LIMITS[key]
    if not (text.isascii() and text.isdecimal() and low <= int(text) <= high):
        raise UserError(
            f"{source}: {key} must be a whole number from {low} to {high}, not {text!r}"
        )
    return int(text)


def load_levels(source: str) -> LevelSet:
    """The level set that a source names. Raises UserError with one line on what to do."""
    if source.startswith("generated:"):
        from environments.games.sokoban.generator import generate

        wanted = parse_generated(source)
        levels = generate(
            wanted.size,
            wanted.size,
            wanted.boxes,
            wanted.count,
            wanted.seed,
            wanted.split,
        )
        return LevelSet(
            source,
            levels.shape,
            levels.walls,
            levels.targets,
            levels.boxes,
            levels.player,
        )
    raise UserError(f"{source}: no such level source")
