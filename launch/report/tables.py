"""The tables of a report, as text in cells: the terminal and the page show the same ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from launch.report.configurations import Differences
from launch.report.embodiment import COLUMNS, Row
from launch.report.summaries import Summary


@dataclass(frozen=True)
class Table:
    """Rows of text under a title."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1  # columns of names, which come first; those after them are of numbers


def by_suite(found: Iterable[Summary]) -> dict[str, list[Summary]]:
    """The same, told apart by suite."""
    suites: dict[str, list[Summary]] = {}
    for each in sorted(found, key=lambda each: each.suite):
        suites.setdefault(each.suite, []).append(each)
    return suites


def evaluations(suite: str, found: Sequence[Summary]) -> Table:
    """All that was evaluated on one suite."""
    # How else a game may end: success and failure alone say no more than the rate.
    names = next((tuple(each.outcomes) for each in found if len(each.outcomes) > 2), ())[1:]
    columns = ("label", "seeds", "frames", "success", "95 %", "of seeds", "return", *names)
    rows = (
        (
            spelt(each),
            str(each.seeds),
            millions(each.frames) if each.frames else "",
            f"{each.rate:.1%}",
            interval(each.ci95),
            interval((each.lowest, each.highest)) if each.seeds > 1 else "",
            "" if each.mean_return is None else f"{each.mean_return:.2f}",
            *(f"{each.outcomes[name]:.1%}" if name in each.outcomes else "" for name in names),
        )
        for each in found
    )
    return Table(f"{suite_name(suite)}: success, greedy", columns, tuple(rows))


def optimality(suite: str, found: Sequence[Summary]) -> Table:
    """How near solved levels came to the fewest moves."""
    rows = (
        (
            spelt(each),
            f"{each.rate:.1%}",
            f"{each.optimality_gap:.2f}",
            f"{each.optimal_share or 0:.1%}",
            f"{each.optimum_unknown or 0:g}",
        )
        for each in found
        if each.optimality_gap is not None
    )
    columns = ("label", "success", "steps beyond", "none beyond", "levels left out")
    title = f"{suite_name(suite)}: steps beyond the fewest, of levels that were solved"
    return Table(title, columns, tuple(rows))


def planning(suite: str, found: Sequence[Summary]) -> Table:
    """What planning cost, the best solve rate first: compare what solves equally many."""
    rows = (
        (
            spelt(each),
            f"{each.rate:.1%}",
            f"{each.model_steps_per_solved:,.0f}",
            f"{each.model_steps_solved:,.0f}",
        )
        for each in sorted(found, key=lambda each: -each.rate)
        if each.model_steps_per_solved is not None
    )
    columns = ("label", "success", "all levels", "solved levels alone")
    title = f"{suite_name(suite)}: steps of the environment model for each solved level"
    return Table(title, columns, tuple(rows))


def thinking(suite: str, found: Sequence[Summary]) -> Table:
    """Success by thinking steps, of those that were evaluated with several numbers of them."""
    labels: dict[str, dict[int, Summary]] = {}
    for each in found:
        if not each.simulations:
            labels.setdefault(each.label, {})[each.thinking_steps] = each
    several = {label: rates for label, rates in labels.items() if len(rates) > 1}
    steps = sorted({number for rates in several.values() for number in rates})
    rows = (
        (label, *(f"{rates[n].rate:.1%}" if n in rates else "" for n in steps))
        for label, rates in several.items()
    )
    title = f"{suite_name(suite)}: success by thinking steps"
    return Table(title, ("label", *map(str, steps)), tuple(rows))


def embodiment(rows: Sequence[Row], columns: Sequence[str] = COLUMNS) -> Table:
    """The embodiment gap. Empty if there is no row."""
    cells = (
        (
            "\n".join(filter(None, (row.game, row.task, row.suite))),
            *(_cell(row.cells[name]) if name in row.cells else "" for name in columns),
        )
        for row in rows
    )
    return Table("Embodiment gap: success, 95 %, frames", ("game", *columns), tuple(cells))


def _cell(summary: Summary) -> str:
    lines = [f"{summary.rate:.1%}", interval(summary.ci95)]
    if "draw" in summary.outcomes:  # all that there is to reach against a perfect opponent
        lines.append(f"{summary.rate + summary.outcomes['draw']:.1%} not lost")
    lines.append(f"{millions(summary.frames)} frames" if summary.frames else "not trained")
    return "\n".join([*lines, spelt(summary)])


def configurations(found: Differences) -> Table:
    """The keys that differ."""
    rows = ((key, *values) for key, values in found.differing.items())
    columns = ("key", *found.labels)
    return Table("Configurations: where they differ", columns, tuple(rows), names=len(columns))


def spelt(summary: Summary) -> str:
    """The label, and how much is searched."""
    searched = f", {summary.simulations} simulations" if summary.simulations else ""
    thought = f", {summary.thinking_steps} thinking" if summary.thinking_steps else ""
    return summary.label + searched + thought


def suite_name(suite: str) -> str:
    """The suite as titles have it."""
    return suite or "as it is"


def interval(bounds: tuple[float, float]) -> str:
    """Two rates as percent."""
    return f"{100 * bounds[0]:.1f}-{bounds[1]:.1%}"


def millions(frames: int) -> str:
    """A number of frames."""
    return f"{frames / 1e6:,.2f}M"
