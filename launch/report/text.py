"""Tables of a report on a terminal."""

from collections.abc import Iterable
from typing import IO

from rich import markup
from rich import table as rich_table
from rich.console import Console

from launch.report.tables import Table

_WIDTH = 120  # of what is no terminal


def write(tables: Iterable[Table], file: IO[str]) -> None:
    """Prints them, in files 120 columns wide."""
    console = Console(file=file, width=None if file.isatty() else _WIDTH)
    for table in tables:
        console.print(_rich(table))


def _rich(table: Table) -> rich_table.Table:
    found = rich_table.Table(title=markup.escape(table.title), title_justify="left")
    high = any("\n" in cell for row in table.rows for cell in row)
    for number, column in enumerate(table.columns):
        name = number < table.names
        found.add_column(
            column,
            justify="left" if name or high else "right",
            no_wrap=not (name or high),
            overflow="fold",
            min_width=12 if name else None,
        )
    for row in table.rows:
        found.add_row(*map(markup.escape, row), end_section=high)
    return found
