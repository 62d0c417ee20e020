"""The table that `moravec evaluate` prints."""

from collections.abc import Sequence

from rich import box, markup
from rich.console import Console
from rich.table import Table

from launch.results import Result


def show(results: Sequence[Result]) -> None:
    """Prints the table: a row for each suite and number of thinking steps."""
    first = results[0]
    title = f"{markup.escape(first.run)}, {first.frames:,} frames{markup.escape(searched(first))}"
    # Without lines between columns, so that 80 characters are enough.
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    row = _game_row if "draw" in first.outcomes else _level_row
    for column in row(first):
        name = column == "suite"  # a long one is folded; numbers are not
        justify = "left" if name else "right"
        table.add_column(column, justify=justify, no_wrap=not name, overflow="fold")
    for result in results:
        cells = row(result)
        table.add_row(markup.escape(cells.pop("suite")), *cells.values())
    Console().print(table)


def searched(result: Result) -> str:
    """How it was searched before every move, behind the name of who plays; "" if it was not."""
    if not result.simulations:
        return ""
    model = f" with the model of {result.model}" if result.model else ""
    return f", {result.simulations} simulations{model}"


def _level_row(result: Result) -> dict[str, str]:
    """What the table tells of a suite of levels, by column."""
    return {
        "suite": result.suite,
        "thinking": str(result.thinking_steps),
        "levels": str(result.episodes),
        "success": f"{result.rate:.1%}",
        "95 %": _interval(result),
        "return": f"{result.mean_return:.2f}",
        "length": f"{result.mean_length:.1f}",
        **_imagined(result),
    }


def _imagined(result: Result) -> dict[str, str]:
    """Steps of its model for each solved level, of an agent that has one."""
    if "model_steps" not in result.metrics:
        return {}
    steps = result.metrics.get("model_steps_per_solved")
    return {"imagined": "" if steps is None else f"{steps:,.0f}"}


def _game_row(result: Result) -> dict[str, str]:
    """Of games against an opponent; the interval is that of wins."""
    shares = {name: f"{count / result.episodes:.1%}" for name, count in result.outcomes.items()}
    return {
        "suite": result.suite or str(result.options.get("opponent", "")),
        "thinking": str(result.thinking_steps),
        "games": str(result.episodes),
        "win": shares.pop("win"),
        "95 %": _interval(result),
        "draw": shares.pop("draw"),
        "loss": shares.pop("loss"),
        "length": f"{result.mean_length:.1f}",
    }


def _interval(result: Result) -> str:
    low, high = result.ci95
    return f"{100 * low:.1f} to {100 * high:.1f}"
