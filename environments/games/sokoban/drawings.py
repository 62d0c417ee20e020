"""Finds the drawings of levels in text as people write it: encodings, titles, remarks, run lengths.

A row has a wall in it, or stands between rows that have. All else parts levels: blank lines, rulers
(`-----`) and titles, which have words in them or no wall. A line that starts with `;` parts them
too, unless only one side of it has a player: then it is a remark within a level. `5#|#@$.#|5#` is
three rows, with run lengths before the symbols. Of an SLC file the elements `<L>...</L>` are rows.
"""

import codecs
import html
import re
from collections.abc import Iterator

from environments.errors import UserError

SYMBOLS = "#@+$*. -_"  # of Boxoban and XSB; the last three are floor
FLOOR = " -_"
LETTERS = "pPbBo"  # other names of @ + $ * .
Drawing = list[tuple[int, str]]  # its rows from the top, each with the number of its line

_TRANSLATED = str.maketrans(LETTERS + "\u00a0", "@+$*. ")
_PLAIN = re.compile(f"[{re.escape(SYMBOLS)}]*")
UNKNOWN = re.compile(f"[^{re.escape(SYMBOLS + LETTERS)}]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_RUN = re.compile(f"([0-9]{{0,3}})([{re.escape(SYMBOLS + LETTERS)}])")
_RUNS = re.compile(f"(?:[0-9]{{0,3}}[{re.escape((SYMBOLS + LETTERS).replace(' ', ''))}]| )*")
_SLC_ROW = re.compile("<L>(.*?)</L>", re.IGNORECASE)


def text_of(data: bytes, name: str) -> str:
    """The text of a level file called `name`, its lines ended by line feeds.

    UTF-8, UTF-16 with its byte order mark, or else Latin-1, whose symbols are those of its kin.
    Raises UserError if it is binary.
    """
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = "\0"
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "latin-1"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if "\0" in text:
        raise UserError(f"{name}: is binary; give a text file of levels, or a packed .levels file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def drawings(text: str) -> Iterator[Drawing]:
    """What is drawn in a text, level by level; some of it may be no sound level."""
    before: Drawing = []  # the rows above the last remark
    rows: Drawing = []
    if _SLC_ROW.search(text):
        text = _rows_of_slc(text)
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if line.startswith(";"):
            if _has_player(before) and _has_player(rows):
                yield before
                before = []
            before, rows = before + rows, []
            continue
        for cells in _rows(line, within=bool(before or rows)):
            if cells is not None:
                rows.append((number, cells))
                continue
            parted = _has_player(before) and _has_player(rows)
            yield from filter(_is_level, [before, rows] if parted else [before + rows])
            before, rows = [], []


def _rows_of_slc(text: str) -> str:
    """The rows of an SLC file, on the lines where they are; blank rows after each level."""
    text = re.sub("</Level>", "<L></L><L></L>", text, flags=re.IGNORECASE)
    lines = (_SLC_ROW.findall(line) for line in text.split("\n"))
    return "\n".join("|".join(map(html.unescape, rows)) for rows in lines)


def _has_player(rows: Drawing) -> bool:
    return any("@" in cells or "+" in cells for _, cells in rows)


def _is_level(rows: Drawing) -> bool:
    """Whether rows mean a level: more than a ruler of `#`."""
    return len(rows) > 1 or any(cells.strip("#" + FLOOR) for _, cells in rows)


def _rows(line: str, within: bool) -> list[str | None]:
    """The rows in a line, in the symbols of XSB; None where the line, or a part of it, is none."""
    if "|" not in line:
        return [_row(line, within)]
    parts = line.strip().removeprefix("|").removesuffix("|").split("|")
    rows = [_row(part, within=True) for part in parts]
    return rows if any(rows) else [None]


def _row(line: str, within: bool) -> str | None:
    """The cells of a row; None if the line is none.

    A misspelt row must not pass for a title, nor a title like `Level #3` for a row.
    """
    body = line.strip()
    if not body.strip(FLOOR):
        return None
    indent = line[: line.index(body[0])].expandtabs()
    cells = " " * len(indent) + body
    if "#" in body and _PLAIN.fullmatch(cells):
        return cells
    counted = any(symbol.isdecimal() for symbol in body)
    if counted:
        if not _RUNS.fullmatch(cells):
            return None
        cells = "".join(symbol * int(count or 1) for count, symbol in _RUN.findall(cells))
    walls = cells.count("#")
    letters = sum(cells.count(letter) for letter in LETTERS)
    unknown = len(UNKNOWN.findall(cells.replace("\u00a0", " ")))
    if not walls:  # a row between others that lacks its walls, which is for its reader to say
        is_row = within and not letters and not unknown and len(set(cells) - set(FLOOR)) > 1
    elif any(set(word) - set(LETTERS) for word in _WORD.findall(cells)):
        is_row = False
    elif unknown:
        is_row = unknown < sum(cells.count(symbol) for symbol in "#@+$*.")
    else:
        is_row = walls > 1 or not (letters or counted)
    return cells.translate(_TRANSLATED) if is_row else None
