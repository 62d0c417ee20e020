"""`moravec report`: a plot and tables of runs, sweeps and baselines, finished or not."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from environments.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from launch.report.summaries import Summary


@dataclass(frozen=True)
class Arguments:
    """Plot and tabulate runs: solve rate against frames, evaluations, and what planning cost."""

    # Run folders, folders of runs (of a sweep), or files that moravec evaluate --json printed.
    runs: tyro.conf.Positional[tuple[Path, ...]]
    # Where to write curves.png, report.txt and report.json; by default report in the first folder.
    out: Path | None = None


def main(args: list[str]) -> int:
    """Runs `moravec report ARGS`. A user's mistake raises UserError."""
    arguments = tyro.cli(Arguments, prog="moravec report", args=args)
    if not arguments.runs:
        raise UserError("say what to report on: run folders, or a sweep's folder")
    if missing := [path for path in arguments.runs if not path.exists()]:
        raise UserError(f"{missing[0]} does not exist: give folders that train or sweep made")
    folders = [path for path in arguments.runs if path.is_dir()]
    if arguments.out is None and not folders:
        raise UserError("give --out DIR: no folder is given to write into")
    out = arguments.out or folders[0] / "report"

    from rich.console import Console

    from launch import files
    from launch.report.runs import collect
    from launch.report.summaries import column_of, curves, summaries

    runs, results = collect(arguments.runs)
    found, column = summaries(results), column_of(runs)
    drawn = curves(runs, column)
    tables = _tables(found)
    with files.writing(out):
        out.mkdir(parents=True, exist_ok=True)
    with open(out / "report.txt", "w") as file:
        for table in tables:
            Console(file=file, width=120).print(table)
    document = {
        "column": column,
        "curves": [
            {name: x if isinstance(x, (str, int)) else x.tolist() for name, x in vars(c).items()}
            for c in drawn
        ],
        "evaluations": [dataclasses.asdict(summary) for summary in found],
    }
    files.atomic_write(out / "report.json", json.dumps(document, indent=2) + "\n")
    if drawn:
        from launch.report.plots import plot

        plot(drawn, column, out / "curves.png")
    for table in tables:
        Console().print(table)
    print(f"{len(runs)} runs, {len(found)} evaluations: {out}", file=sys.stderr)
    return 0


def _tables(found: "Sequence[Summary]") -> "list[Table]":
    """Of every suite how well it was played, and what planning cost, where there was any."""
    suites = sorted({each.suite for each in found})
    by_suite = {suite: [each for each in found if each.suite == suite] for suite in suites}
    tables = [make(*each) for make in (_evaluations, _planning) for each in by_suite.items()]
    return [table for table in tables if table.row_count]


def _table(title: str, columns: Sequence[str]) -> "Table":
    from rich import markup
    from rich.table import Table

    table = Table(title=markup.escape(title), title_justify="left")
    for column in columns:
        name = column == "label"
        table.add_column(
            column,
            justify="left" if name else "right",
            no_wrap=not name,
            overflow="fold",
            min_width=12 if name else None,
        )
    return table


def _evaluations(suite: str, found: "Sequence[Summary]") -> "Table":
    """All that was evaluated on one suite."""
    # How else a game may end: success and failure alone say no more than the rate.
    names = next((tuple(each.outcomes) for each in found if len(each.outcomes) > 2), ())
    columns = ("label", "seeds", "frames", "success", "95 %", "of seeds", "return", *names[1:])
    table = _table(f"{suite or 'as it is'}: success, greedy", columns)
    for each in found:
        low, high = each.ci95
        table.add_row(
            _spelt(each),
            str(each.seeds),
            f"{each.frames / 1e6:,.2f}M" if each.frames else "",
            f"{each.rate:.1%}",
            f"{100 * low:.1f}-{high:.1%}",
            f"{100 * each.lowest:.1f}-{each.highest:.1%}" if each.seeds > 1 else "",
            "" if each.mean_return is None else f"{each.mean_return:.2f}",
            *(f"{each.outcomes[name]:.1%}" if name in each.outcomes else "" for name in names[1:]),
        )
    return table


def _planning(suite: str, found: "Sequence[Summary]") -> "Table":
    """What planning cost, the best solve rate first: compare what solves equally many."""
    columns = ("label", "success", "all levels", "solved levels alone")
    title = f"{suite or 'as it is'}: steps of the environment model for each solved level"
    table = _table(title, columns)
    for each in sorted(found, key=lambda each: -each.rate):
        if each.model_steps_per_solved is not None:
            table.add_row(
                _spelt(each),
                f"{each.rate:.1%}",
                f"{each.model_steps_per_solved:,.0f}",
                f"{each.model_steps_solved:,.0f}",
            )
    return table


def _spelt(summary: "Summary") -> str:
    """The label, and how much is searched."""
    from rich import markup

    searched = f", {summary.simulations} simulations" if summary.simulations else ""
    thought = f", {summary.thinking_steps} thinking" if summary.thinking_steps else ""
    return markup.escape(summary.label + searched + thought)
