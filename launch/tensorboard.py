"""Metrics as TensorBoard event files."""

import re
import socket
import time
from collections.abc import Iterable
from pathlib import Path

from launch import files
from launch.loggers import Row


class TensorBoardLogger:
    """Every column but `frames` as a scalar over frames.

    Events are written at once, in the calling thread: tensorboardX's own writer leaves that to a
    thread, whose death of a full disk makes the training wait for ever.
    """

    def __init__(self, folder: Path, rows: Iterable[Row] = ()):
        """Begins the folder anew with the given earlier rows, so that none is ever doubled."""
        from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboardX.record_writer import RecordWriter

        self._folder = folder
        with files.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.glob("*.tfevents.*"):
                old.unlink()
            now = time.time()
            name = f"events.out.tfevents.{int(now)}.{socket.gethostname()}"
            self._writer = RecordWriter(str(folder.absolute() / name))
            self._writer.write(
                Event(wall_time=now, file_version="brain.Event:2").SerializeToString()
            )
        rows = list(rows)
        for row in rows:
            age = float(rows[-1].get("seconds", 0)) - float(row.get("seconds", 0))
            self._add(row, now - age)
        self.flush()

    def write(self, row: Row) -> None:
        """See `loggers.Logger`."""
        self._add(row, time.time())
        self.flush()

    def flush(self) -> None:
        """See `loggers.Logger`."""
        with files.writing(self._folder):
            self._writer.flush()

    def close(self) -> None:
        """See `loggers.Logger`."""
        with files.writing(self._folder):
            self._writer.close()

    def _add(self, row: Row, wall_time: float) -> None:
        from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

        values = [
            Summary.Value(tag=_tag(name), simple_value=float(value))
            for name, value in row.items()
            if name != "frames"
        ]
        event = Event(wall_time=wall_time, step=int(row["frames"]), summary=Summary(value=values))
        with files.writing(self._folder):
            self._writer.write(event.SerializeToString())


def _tag(column: str) -> str:
    """TensorBoard groups tags by what is before the slash, and allows few characters."""
    return re.sub(r"[^-/\w.]", "_", column)
