"""Sokoban levels as text: files of levels read, with exact positions of errors, and written.

Symbols: `#` wall, `@` player, `+` player on a target, `$` box, `*` box on a target, `.` target,
and space, `-` or `_` for floor; `drawings` says what else is understood. Short rows are filled up
at the right. What is outside the walls is taken for wall, ornament too.
"""

from collections.abc import Iterable

import numpy as np

from environments.errors import UserError
from environments.games.sokoban.drawings import (
    LETTERS,
    SYMBOLS,
    UNKNOWN,
    Drawing,
    drawings,
    text_of,
)
from environments.games.sokoban.level import Level, LevelSet, pack_bits
from environments.games.sokoban.reading import Reading, Shape, all_or_none, misfit

_WALL, _PLAYER, _BOX, _TARGET = (np.zeros(256, bool) for _ in range(4))
for _kind, _symbols in ((_WALL, "#"), (_PLAYER, "@+"), (_BOX, "$*"), (_TARGET, ".+*")):
    _kind[[ord(symbol) for symbol in _symbols]] = True
_KNOWN = np.zeros(256, bool)
_KNOWN[[ord(symbol) for symbol in SYMBOLS]] = True


def format_level(level: Level) -> str:
    """The rows of a level, each ended by a newline."""
    board = np.where(level.walls, "#", np.where(level.targets, ".", " "))
    board[level.boxes] = "$"
    board[level.boxes & level.targets] = "*"
    board[level.player] = "+" if level.targets[level.player] else "@"
    return "".join("".join(row) + "\n" for row in board)


def format_levels(levels: Iterable[Level]) -> str:
    """Levels in Boxoban's layout: a line `; k`, the rows, a blank line."""
    return "".join(f"; {k}\n{format_level(level)}\n" for k, level in enumerate(levels))


def read_text(data: bytes, name: str, largest: Shape | None = None) -> Reading:
    """The levels of a text file with this content; `name` is what messages call the file.

    What is drawn wrong, is solved already or has more rows or columns than `largest` is left out.
    Raises UserError if the file is empty or binary.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    uniform = parse_uniform(data, name)
    if uniform is not None:
        return all_or_none(uniform, name, largest)
    text = text_of(data, name)
    if not text.strip():
        raise UserError(f"{name}: is empty; give a file of levels")
    levels, left_out = [], []
    for drawing in drawings(text):
        try:
            levels.append(_level(drawing, name, largest))
        except UserError as error:
            left_out.append(str(error))
    if not levels and not left_out:
        what = f"a level has rows of {SYMBOLS!r}, or letters {LETTERS!r}"
        left_out.append(f"{name}:1:1: there is no level here; {what}")
    return Reading(LevelSet.from_levels(levels, name) if levels else None, tuple(left_out))


def parse_uniform(data: bytes, source: str) -> LevelSet | None:
    """Fast reading of a regular file: Boxoban's layout, all levels of one size and within walls.

    None if anything is irregular, so that the careful reader takes it or says what is wrong.
    """
    data = data.rstrip(b"\n") + b"\n\n"
    block = data.split(b"\n\n", 1)[0].split(b"\n")
    height, width = len(block) - 1, len(block[-1])
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets == ord("\n"))
    if height < 3 or width < 3 or len(ends) % (height + 2):
        return None
    ends = ends.reshape(-1, height + 2)
    headers = np.concatenate([[0], ends[:-1, -1] + 1])
    lengths = np.diff(ends, axis=1)
    if not (
        np.all(octets[headers] == ord(";"))
        and np.all(lengths[:, :-1] == width + 1)
        and np.all(lengths[:, -1] == 1)
    ):
        return None
    rows = ends[:, 0, None, None] + 1 + (width + 1) * np.arange(height)[:, None]
    boards = octets[rows + np.arange(width)]
    walls, player, boxes, targets = (kind[boards] for kind in (_WALL, _PLAYER, _BOX, _TARGET))
    levels = LevelSet(
        source,
        (height, width),
        *(pack_bits(plane) for plane in (walls, targets, boxes)),
        player=player.reshape(len(boards), -1).argmax(1).astype(np.int32),
    )
    one_player = np.all(player.sum((1, 2)) == 1)
    sound = np.all(_KNOWN[boards]) and one_player and regular(walls, targets, boxes)
    return levels if sound else None


def regular(walls: np.ndarray, targets: np.ndarray, boxes: np.ndarray) -> bool:
    """Whether all boards `[L, H, W] bool` are closed, with boxes for all targets and work to do."""
    inside = walls[:, 1:-1, 1:-1].sum((1, 2))
    border = 2 * (walls.shape[1] + walls.shape[2]) - 4
    counts = boxes.sum((1, 2))
    return bool(
        np.all(walls.sum((1, 2)) == inside + border)
        and np.all(counts == targets.sum((1, 2)))
        and not np.any(walls & (targets | boxes))
        and np.all(np.any(boxes & ~targets, axis=(1, 2)))
    )


def _level(drawing: Drawing, name: str, largest: Shape | None) -> Level:
    """The level that is drawn, checked."""

    def error(message: str, row: int = 0, column: int = 0) -> UserError:
        return UserError(f"{name}:{drawing[row][0]}:{column + 1}: {message}")

    for y, (_, row) in enumerate(drawing):
        if unknown := UNKNOWN.search(row):
            what = f"unknown symbol {unknown.group()!r}; a level is made of {SYMBOLS!r}"
            raise error(f"{what}, or letters {LETTERS!r}", y, unknown.start())
    width = max(len(row) for _, row in drawing)
    text = "".join(row.ljust(width) for _, row in drawing)
    board = np.frombuffer(text.encode("ascii"), np.uint8).reshape(-1, width)
    walls, boxes, targets = _WALL[board], _BOX[board], _TARGET[board]
    players = [(int(y), int(x)) for y, x in np.argwhere(_PLAYER[board])]
    if not players:
        raise error("no player (@ or +) in this level")
    if len(players) > 1:
        raise error("a second player in this level", *players[1])
    outside = _flood(walls, _edge(walls))
    if outside[players[0]]:
        hole = np.argwhere(_flood(walls, _at(walls, players[0])) & _edge(walls))[0]
        raise error("open border: the player can leave the board here; add a wall", *map(int, hole))
    boxes, targets = boxes & ~outside, targets & ~outside
    if not boxes.any():
        raise error("no box ($ or *) in this level")
    if boxes.sum() != targets.sum():
        raise error(f"boxes and targets differ in this level: {boxes.sum()} and {targets.sum()}")
    if np.array_equal(boxes, targets):
        raise error("this level is solved already")
    if what := misfit((len(drawing), width), largest):
        raise error(what)
    return Level(walls | outside, targets, boxes, players[0])


def _edge(walls: np.ndarray) -> np.ndarray:
    edge = np.ones_like(walls)
    edge[1:-1, 1:-1] = False
    return edge & ~walls


def _at(walls: np.ndarray, cell: tuple[int, int]) -> np.ndarray:
    mask = np.zeros_like(walls)
    mask[cell] = True
    return mask


def _flood(walls: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """The open cells connected to `reached`, all `[H, W] bool`."""
    size = 0
    while size != (size := int(reached.sum())):
        grown = reached.copy()
        grown[1:] |= reached[:-1]
        grown[:-1] |= reached[1:]
        grown[:, 1:] |= reached[:, :-1]
        grown[:, :-1] |= reached[:, 1:]
        reached = grown & ~walls
    return reached
