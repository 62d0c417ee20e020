"""Sokoban levels as text: Boxoban's layout and XSB, read with exact positions of errors, written.

Symbols: `#` wall, `@` player, `+` player on a target, `$` box, `*` box on a target, `.` target,
and space, `-` or `_` for floor. Lines that start with `;`, titles and blank lines part levels.
Rows of one level are equally long. Floor outside the walls is taken for wall.
"""

import re
from collections.abc import Iterable, Iterator

import numpy as np

from environments.errors import UserError
from environments.games.sokoban.level import Level, LevelSet, pack_bits

FLOOR, SYMBOLS = " -_", "#@+$*. -_"
_WALL, _PLAYER, _BOX, _TARGET = (np.zeros(256, bool) for _ in range(4))
for _kind, _symbols in ((_WALL, "#"), (_PLAYER, "@+"), (_BOX, "$*"), (_TARGET, ".+*")):
    _kind[[ord(symbol) for symbol in _symbols]] = True
_KNOWN = np.zeros(256, bool)
_KNOWN[[ord(symbol) for symbol in SYMBOLS]] = True
_STRANGE = re.compile(f"[^{re.escape(SYMBOLS)}]")


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


def decode_levels(data: bytes, name: str) -> LevelSet:
    """The levels of a text file with this content; `name` is what errors call the file.

    Raises UserError if it is empty or binary, or a level in it is malformed.
    """
    levels = parse_uniform(data, name)
    if levels is not None:
        return levels
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UserError(f"{name}: is binary; give a text file of levels, or a packed .levels file")
    return LevelSet.from_levels(parse_levels(text, name), name)


def parse_uniform(data: bytes, source: str) -> LevelSet | None:
    """Fast reading of a regular file: Boxoban's layout, all levels of one size and within walls.

    None if anything is irregular, so that `parse_levels` reads it or says what is wrong.
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


def parse_levels(text: str, source: str) -> list[Level]:
    """All levels in a text, each checked.

    Raises UserError, `SOURCE:LINE:COLUMN: what is wrong`, at the first thing that is.
    """
    if not text.strip():
        raise UserError(f"{source}: is empty; give a file of levels")
    levels = [_level(rows, source, line) for line, rows in _blocks(text)]
    if not levels:
        raise UserError(f"{source}:1:1: there is no level here; a level has rows of {SYMBOLS!r}")
    return levels


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of each level, with the number of its first line."""
    rows: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        line = line.removesuffix("\r")
        if _is_row(line, bool(rows)):
            rows.append(line)
        elif rows:
            yield number - len(rows), rows
            rows = []


def _is_row(line: str, within: bool) -> bool:
    """Whether a line belongs to a level; `within`: the line before does.

    A misspelt row must not pass for a title, nor a title like `Level #3` for a row.
    """
    cells = line.strip(FLOOR)
    if line.startswith(";") or not line.strip():
        return False
    if within:
        return "#" in cells or not _STRANGE.search(cells)
    return "##" in cells or (cells != "" and cells[0] in SYMBOLS)


def _level(rows: list[str], source: str, line: int) -> Level:
    """One level from its rows, of which the first is line number `line`."""

    def error(message: str, row: int = 0, column: int = 0) -> UserError:
        return UserError(f"{source}:{line + row}:{column + 1}: {message}")

    width = len(rows[0])
    for y, row in enumerate(rows):
        if strange := _STRANGE.search(row):
            what = f"unknown symbol {strange.group()!r}; a level is made of {SYMBOLS!r}"
            raise error(what, y, strange.start())
        if len(row) != width:
            what = f"a row of {len(row)} cells in a level that began with {width}"
            raise error(f"{what}; fill rows up with spaces", y, min(len(row), width))
    board = np.frombuffer("".join(rows).encode("ascii"), np.uint8).reshape(-1, width)
    walls, boxes, targets = _WALL[board], _BOX[board], _TARGET[board]
    players = [(int(y), int(x)) for y, x in np.argwhere(_PLAYER[board])]
    if not players:
        raise error("no player (@ or +) in this level")
    if len(players) > 1:
        raise error("a second player in this level", *players[1])
    if not boxes.any():
        raise error("no box ($ or *) in this level")
    if boxes.sum() != targets.sum():
        raise error(f"boxes and targets differ in this level: {boxes.sum()} and {targets.sum()}")
    outside = _flood(walls, _edge(walls))
    if outside[players[0]]:
        hole = np.argwhere(_flood(walls, _at(walls, players[0])) & _edge(walls))[0]
        raise error("open border: the player can leave the board here; add a wall", *map(int, hole))
    for y, x in np.argwhere(outside & (boxes | targets)):
        raise error("a box or target outside the walls", int(y), int(x))
    if np.array_equal(boxes, targets):
        raise error("this level is solved already")
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
