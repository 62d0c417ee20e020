"""The tables of a report, as text in cells: the terminal and the page show the same ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

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

    def filled(self) -> "Table":
        """The same without the columns of numbers that are empty."""
        kept = [
            index
            for index in range(len(self.columns))
            if index < self.names or any(row[index] for row in self.rows)
        ]
        rows = tuple(tuple(row[index] for index in kept) for row in self.rows)
        return replace(self, columns=tuple(self.columns[index] for index in kept), rows=rows)


def by_suite(found: Iterable[Summary]) -> dict[str, list[Summary]]:
    """The same, told apart by suite, and by game where several were played on one.

    Returns:
      By the name that titles have.
    """
    games: dict[str, set[tuple[str, int]]] = {}
    found = list(found)
    for each in found:
        games.setdefault(each.suite, set()).add((each.environment, each.environment_version))
    suites: dict[str, list[Summary]] = {}
    for each in sorted(found, key=lambda each: each.suite):
        title, several = each.suite or "as it is", games[each.suite]
        if len({name for name, _ in several}) > 1:
            title = f"{each.environment}, {title}"
        if len({name for name, _ in several}) < len(several):
            title = f"{title}, version {each.environment_version}"
        suites.setdefault(title, []).append(each)
    return suites


def evaluations(suite: str, found: Sequence[Summary]) -> Table:
    """All that was evaluated on one suite."""
    # How else a game may end: success and failure alone say no more than the rate.
    names = next((tuple(each.outcomes) for each in found if len(each.outcomes) > 2), ())[1:]
    columns = ("label", "success", "95 %", "seeds", "of seeds", "episodes", "frames", "return")
    rows = (
        (
            spelt(each),
            f"{each.rate:.1%}",
            interval(each.ci95),
            str(each.seeds),
            interval((each.lowest, each.highest)) if each.seeds > 1 else "",
            f"{each.episodes:,}",
            short(each.frames) if each.frames else "",
            f"{each.mean_return:.2f}",
            *(f"{each.outcomes[name]:.1%}" if name in each.outcomes else "" for name in names),
        )
        for each in found
    )
    return Table(f"{suite}: success, greedy", (*columns, *names), tuple(rows)).filled()


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
    title = f"{suite}: steps beyond the fewest, of levels that were solved"
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
    title = f"{suite}: steps of the environment model for each solved level"
    return Table(title, columns, tuple(rows))


def by_thinking(found: Iterable[Summary]) -> dict[str, list[Summary]]:
    """Of those that were evaluated with several numbers of thinking steps, by label."""
    labels: dict[str, list[Summary]] = {}
    for each in found:
        labels.setdefault(spelt(each, thinking=False), []).append(each)
    return {
        label: sorted(group, key=lambda each: each.thinking_steps)
        for label, group in labels.items()
        if len({each.thinking_steps for each in group}) > 1
    }


def thinking(suite: str, found: Sequence[Summary]) -> Table:
    """Success by thinking steps. Empty if nothing was evaluated with several numbers of them."""
    several = by_thinking(found)
    steps = sorted({each.thinking_steps for group in several.values() for each in group})
    rows = []
    for label, group in several.items():
        rates = {each.thinking_steps: f"{each.rate:.1%}" for each in group}
        rows.append((label, *(rates.get(number, "") for number in steps)))
    title = f"{suite}: success by thinking steps"
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
    lines.append(f"{short(summary.frames)} frames" if summary.frames else "not trained")
    return "\n".join([*lines, spelt(summary)])


def configurations(found: Differences) -> Table:
    """The keys that differ."""
    rows = ((key, *values) for key, values in found.differing.items())
    columns = ("key", *found.labels)
    return Table("Configurations: where they differ", columns, tuple(rows), names=len(columns))


def spelt(summary: Summary, *, thinking: bool = True) -> str:
    """The label, and all in which evaluations of one label may differ."""
    parts = [summary.label]
    if summary.simulations:
        model = f" with the model {summary.model}" if summary.model else ""
        parts.append(f"{summary.simulations} simulations{model}")
    if thinking and summary.thinking_steps:
        parts.append(f"{summary.thinking_steps} thinking")
    if summary.evaluation_seed:
        parts.append(f"evaluated with seed {summary.evaluation_seed}")
    return ", ".join(parts)


def interval(bounds: tuple[float, float]) -> str:
    """Two rates as percent."""
    return f"{100 * bounds[0]:.1f}-{bounds[1]:.1%}"


def short(frames: int) -> str:
    """A number of frames."""
    if frames < 1e6:
        return f"{frames / 1e3:.1f}k" if frames >= 1e3 else str(frames)
    return f"{frames / 1e6:,.2f}M"
