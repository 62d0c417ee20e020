"""What a run shows while it goes on: a bar on a terminal, plain lines elsewhere, or nothing."""

import contextlib
import datetime
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from experiments.base import Experiment
from launch.loggers import Row

_LINE_SECONDS = 5.0


def now_and_then(tell: Callable[[int], None], seconds: float) -> Callable[[int], None]:
    """Passes on a number that has grown: at once, and then every so many seconds at most."""
    told, last = 0, time.monotonic() - seconds

    def report(number: int) -> None:
        nonlocal told, last
        if number > told and time.monotonic() - last >= seconds:
            told, last = number, time.monotonic()
            tell(number)

    return report


class Display:
    """Shows nothing; the base of what shows something. A logger (see `loggers.Logger`)."""

    def say(self, text: str) -> None:
        """Says what is being done, for example before the first row."""

    def write(self, row: Row) -> None:
        """Shows a row of metrics."""

    def flush(self) -> None:
        """Nothing is held back for long."""

    def close(self) -> None:
        """Leaves the last state on the screen."""


def display(
    max_frames: int,
    max_seconds: float = 0.0,
    *,
    quiet: bool = False,
    stream: TextIO | None = None,
) -> Display:
    """The display that suits `stream`, by default standard error.

    Args:
      max_frames: the budget.
      max_seconds: the time at which training stops early; 0 for none.
      quiet: whether to show nothing.
      stream: where to.
    """
    if quiet:
        return Display()
    out: Any = _Lossy(sys.stderr if stream is None else stream)
    return (Bar if out.isatty() else Lines)(max_frames, max_seconds, out)


class _Lossy:
    """A stream whose reader may go away, as a terminal does: then what is written is lost."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


class Screen:
    """Shows one run after another."""

    def __init__(self, quiet: bool):
        """`quiet`: whether to show nothing."""
        self._quiet = quiet
        self._shown: Experiment | None = None
        self._display = Display()

    def show(self, experiment: Experiment) -> Display:
        """The display of this run, which takes the place of the one before."""
        if experiment != self._shown:
            self._display.close()
            seconds = experiment.max_minutes * 60
            self._display = display(experiment.max_frames, seconds, quiet=self._quiet)
            self._shown = experiment
        return self._display

    def say(self, text: str) -> None:
        """Says it wherever it is seen now."""
        self._display.say(text)

    def close(self) -> None:
        """Leaves the last state on the screen."""
        self._display.close()


class Lines(Display):
    """Plain lines without control characters, one every few seconds."""

    def __init__(
        self,
        max_frames: int,
        max_seconds: float,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._budget = max_frames, max_seconds
        self._stream = stream
        self._clock = clock
        self._last = float("-inf")  # time of the last line with metrics
        self._pending = ""
        self._memory: dict[str, Any] = {}

    def say(self, text: str) -> None:
        """Says it at once, after the newest metrics."""
        self._print_pending()
        print(text, file=self._stream, flush=True)

    def write(self, row: Row) -> None:
        """Prints the row if the last one is some seconds old, otherwise keeps it for later."""
        self._memory |= row
        left = time_left(self._memory, *self._budget)
        self._pending = describe(self._memory, self._budget[0]) + (f", {left}" if left else "")
        if self._clock() - self._last >= _LINE_SECONDS:
            self._print_pending()

    def close(self) -> None:
        """Prints the last row, if it has not been."""
        self._print_pending()

    def _print_pending(self) -> None:
        if self._pending:
            print(self._pending, file=self._stream, flush=True)
            self._last = self._clock()
            self._pending = ""


class Bar(Display):
    """A line of what is being done and a bar, redrawn in place by a thread of its own."""

    def __init__(self, max_frames: int, max_seconds: float, stream: TextIO):
        from rich import progress
        from rich.console import Console, Group
        from rich.live import Live
        from rich.text import Text

        self._budget = max_frames, max_seconds
        self._memory: dict[str, Any] = {}
        self._text = Text("", overflow="ellipsis", no_wrap=True)
        console = Console(file=stream)
        self._bar = progress.Progress(
            progress.SpinnerColumn(),
            progress.BarColumn(bar_width=None),
            progress.TaskProgressColumn(),
            progress.TimeElapsedColumn(),
            progress.TextColumn("{task.fields[left]}"),
            expand=True,
            console=console,
        )
        self._task = self._bar.add_task("", total=max_frames, left="")
        # Standard output stays the caller's: it may carry one JSON document.
        self._live = Live(
            Group(self._text, self._bar),
            console=console,
            refresh_per_second=4,
            redirect_stdout=False,
        )
        self._live.start()

    def say(self, text: str) -> None:
        """Shows it in place of the metrics, until the next row."""
        self._text.plain = text

    def write(self, row: Row) -> None:
        """Shows the row and moves the bar."""
        self._memory |= row
        self._text.plain = describe(self._memory, self._budget[0])
        left = time_left(self._memory, *self._budget)
        self._bar.update(self._task, completed=float(row["frames"]), left=left)

    def close(self) -> None:
        """Stops redrawing; the last line and bar stay."""
        self._live.stop()


def describe(row: Row, max_frames: int) -> str:
    """A row as one line, which fits 80 columns; what it lacks is left out."""
    parts = [f"{_short(float(row['frames']))}/{_short(max_frames)} frames"]
    if "frames_per_second" in row:
        parts.append(f"{_short(float(row['frames_per_second']))}/s")
    for name, label in (
        ("success_rate", "success"),
        ("episode_return", "return"),
        ("entropy", "entropy"),
        ("frame_accuracy_1", "exact frames"),
    ):
        if name in row:
            parts.append(f"{label} {float(row[name]):.2f}")
    evaluations = [f"{float(row[name]):.2f}" for name in row if name.startswith("evaluation/")]
    if evaluations:
        parts.append(f"evaluation {' '.join(evaluations)}")
    return ", ".join(parts)


def time_left(row: Row, max_frames: int, max_seconds: float = 0.0) -> str:
    """Hours, minutes and seconds until a budget is spent; empty if the row does not tell."""
    left = []
    speed = float(row.get("frames_per_second", 0))
    if speed > 0:
        left.append(max(0.0, max_frames - float(row["frames"])) / speed)
    if max_seconds and "seconds" in row:
        left.append(max(0.0, max_seconds - float(row["seconds"])))
    return f"{datetime.timedelta(seconds=round(min(left)))} left" if left else ""


def _short(number: float) -> str:
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{suffix}"
    return f"{number:.0f}"
