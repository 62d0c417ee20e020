"""Progress bars on the terminal's standard error, for what takes a user more than a moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(description: str, total: float | None, *, octets: bool = False) -> Iterator[Callable]:
    """Shows a bar while the block runs, if standard error is a terminal; yields `advance(amount)`.

    `total` None means that the end is unknown; `octets` that amounts are bytes.
    """
    from rich import progress as rich_progress
    from rich.console import Console

    console = Console(stderr=True)
    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.DownloadColumn() if octets else rich_progress.MofNCompleteColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    hidden = not console.is_terminal
    with rich_progress.Progress(*columns, console=console, transient=True, disable=hidden) as bars:
        task = bars.add_task(description, total=total)
        yield lambda step: bars.advance(task, step)
