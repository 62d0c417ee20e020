"""Where metrics go: a three-method protocol, and the files of a run folder behind it.

A row is a mapping from column to number. It always has `frames`, the horizontal axis of every
plot; columns that were not measured this time are left out.
"""

import csv
import datetime
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from environments.errors import UserError
from launch import files

Row = Mapping[str, Any]  # Python numbers, or arrays of one element
Position = int  # bytes of a file
_log = logging.getLogger(__name__)


class Logger(Protocol):
    """Receives the rows of a run. Any tracking service is one more of these:

    class Tracker:
        def __init__(self, project: str):
            self._run = service.init(project)

        def write(self, row: Row) -> None:
            self._run.log({k: float(v) for k, v in row.items()}, step=int(row["frames"]))

        def flush(self) -> None: ...

        def close(self) -> None:
            self._run.finish()
    """

    def write(self, row: Row) -> None:
        """Takes one row; frames never decrease."""

    def flush(self) -> None:
        """Returns when all rows are where they shall be kept."""

    def close(self) -> None:
        """Ends the run; nothing is called afterwards."""


class MultiLogger:
    """Passes everything on to several loggers."""

    def __init__(self, loggers: Iterable[Logger]):
        self._loggers = tuple(loggers)

    def write(self, row: Row) -> None:
        """See `Logger`."""
        for logger in self._loggers:
            logger.write(row)

    def flush(self) -> None:
        """See `Logger`."""
        for logger in self._loggers:
            logger.flush()

    def close(self) -> None:
        """Closes every logger, even if one of them cannot be closed."""
        errors = []
        for logger in self._loggers:
            try:
                logger.close()
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]


class CSVLogger:
    """Rows as comma-separated values under a fixed header.

    Numbers are written so that reading them gives the same number: two identical runs write
    identical bytes, but for their time columns. A column that a row lacks is left empty.
    """

    def __init__(self, path: Path, columns: Sequence[str], position: Position | None = None):
        """Begins the file anew, or goes on at `position`, cutting what comes after it.

        Raises:
          UserError: the file to go on with has other columns, or cannot be written.
        """
        self._columns = tuple(columns)
        header = _csv_line(self._columns)
        if position and (found := _first_line(path)) and found != header.encode():
            raise UserError(f"{path} has other columns than this version writes; move it away")
        self._file = _Appender(path, position)
        if self._file.position == 0:
            self._file.append(header)

    def write(self, row: Row) -> None:
        """Raises ValueError for a column that is not in the header, UserError for a full disk."""
        if unexpected := set(row) - set(self._columns):
            raise ValueError(f"columns {sorted(unexpected)} are not in the header")
        cells = (_number(row[name]) if name in row else "" for name in self._columns)
        self._file.append(_csv_line(cells))

    def flush(self) -> None:
        """See `Logger`."""
        self._file.sync()

    def position(self) -> Position:
        """Where the next row will begin; all before it is on the disk."""
        self._file.sync()
        return self._file.position

    def close(self) -> None:
        """See `Logger`."""
        self._file.close()


class TextLogger:
    """Rows and messages as lines for people, each with its date and time."""

    def __init__(self, path: Path, position: Position | None = None):
        self._file = _Appender(path, position)

    def message(self, text: str) -> None:
        """Writes a line of text."""
        time = datetime.datetime.now().isoformat(" ", timespec="seconds")
        self._file.append(f"{time}  {text}\n")

    def write(self, row: Row) -> None:
        """See `Logger`."""
        self.message("  ".join(f"{name} {float(value):.6g}" for name, value in row.items()))

    def flush(self) -> None:
        """See `Logger`."""
        self._file.sync()

    def position(self) -> Position:
        """Where the next line will begin; all before it is on the disk."""
        self._file.sync()
        return self._file.position

    def close(self) -> None:
        """See `Logger`."""
        self._file.close()


def read_csv(path: Path) -> list[dict[str, float]]:
    """The rows of a file that CSVLogger wrote, without their empty columns."""
    try:
        with open(path, newline="") as file:
            return [
                {name: float(cell) for name, cell in row.items() if cell}
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, TypeError, AttributeError, csv.Error) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def _number(value: Any) -> str:
    """An integer or a float, so that reading it gives the same number."""
    return repr(value.item() if hasattr(value, "item") else value)


def _csv_line(cells: Iterable[str]) -> str:
    quoted = (f'"{cell}"' if "," in cell else cell for cell in cells)
    return ",".join(quoted) + "\n"


def _first_line(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.readline()
    except FileNotFoundError:
        return b""


class _Appender:
    """A file that grows by whole pieces: one that does not fit leaves nothing behind."""

    def __init__(self, path: Path, position: Position | None):
        self._path = path
        with files.writing(path):
            # Unbuffered: what a kill leaves behind is everything that was appended. In append
            # mode, so that the next piece begins at the end also after a truncation.
            self._file = open(path, "ab", buffering=0)  # noqa: SIM115, `close` closes it
            size = os.path.getsize(path)
            if position is not None and size < position:
                _log.warning("%s has lost rows: it goes on with what is left", path)
                raw = path.read_bytes()
                position = raw.rfind(b"\n") + 1
            self._file.truncate(position or 0)
        self.position: Position = position or 0

    def append(self, text: str) -> None:
        data = text.encode()
        with files.writing(self._path):
            try:
                written = 0
                while written < len(data):
                    written += self._file.write(data[written:])
            except OSError:
                self._file.truncate(self.position)
                raise
        self.position += len(data)

    def sync(self) -> None:
        with files.writing(self._path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        if not self._file.closed:
            self.sync()
            self._file.close()
