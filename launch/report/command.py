"""`moravec report`: a page, a plot and tables of runs, sweeps and baselines, finished or not."""

import dataclasses
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from environments.errors import UserError
from launch import pretrained

if TYPE_CHECKING:
    from launch.report.curves import Curve
    from launch.report.embodiment import Row
    from launch.report.summaries import Summary
    from launch.report.tables import Table


@dataclass(frozen=True)
class Arguments:
    """Compare runs on one page, report.html, that opens without a network: learning curves,
    evaluations, the embodiment gap, cost, configurations, videos."""

    # Run folders or pretrained:NAME, folders of runs (of a sweep), or files that moravec evaluate
    # --json printed.
    runs: tyro.conf.Positional[tuple[Path, ...]]
    # Where to write report.html, report.txt, report.json and curves.png; by default report in the
    # first folder.
    out: Path | None = None


def main(args: list[str]) -> int:
    """Runs `moravec report ARGS`. A user's mistake raises UserError."""
    arguments = tyro.cli(Arguments, prog="moravec report", args=args)
    if not arguments.runs:
        raise UserError("say what to report on: run folders, or a sweep's folder")
    if missing := [path for path in arguments.runs if not pretrained.folder(path).exists()]:
        raise UserError(f"{missing[0]} does not exist: give folders that train or sweep made")
    folders = [path for path in arguments.runs if path.is_dir()]
    if arguments.out is None and not folders:
        raise UserError("give --out DIR: no folder is given to write into")
    out = arguments.out or folders[0] / "report"

    from launch import files
    from launch.report import page, plots, text
    from launch.report.curves import column_of, curves
    from launch.report.embodiment import gaps
    from launch.report.evaluations import collect
    from launch.report.runs import runs_in
    from launch.report.summaries import summaries
    from launch.report.tables import embodiment

    paths = list(map(pretrained.folder, arguments.runs))
    runs = runs_in(path for path in paths if not path.is_file())
    evaluated = collect(runs, [path for path in paths if path.is_file()])
    found, column, rows = summaries(evaluated), column_of(runs), gaps(evaluated)
    having = {evaluation.source.path for evaluation in evaluated if evaluation.source}
    unevaluated = [run for run in runs if run.rows and run.path not in having]
    drawn = curves(runs, column)
    picture = plots.learning(drawn, column) if drawn else None
    tables = _tables(found, rows)
    with files.writing(out):
        out.mkdir(parents=True, exist_ok=True)
    said = io.StringIO()
    text.write(tables, said)
    files.atomic_write(out / "report.txt", said.getvalue())
    document = _document(column, drawn, found, rows)
    files.atomic_write(out / "report.json", json.dumps(document, indent=2) + "\n")
    if picture:
        files.atomic_write(out / "curves.png", picture.light)
    content = page.Content(runs, drawn, column, picture, found, unevaluated, embodiment(rows))
    files.atomic_write(out / "report.html", page.render(content))
    text.write(tables, sys.stdout)
    if unevaluated:
        names = ", ".join(str(run.path) for run in unevaluated)
        print(f"no evaluation is kept of {names}: moravec evaluate makes one", file=sys.stderr)
    counts = ", ".join((_counted(len(runs), "run"), _counted(len(found), "evaluation")))
    print(f"{counts}: {out / 'report.html'}", file=sys.stderr)
    return 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _document(
    column: str, drawn: "Sequence[Curve]", found: "Sequence[Summary]", rows: "Sequence[Row]"
) -> dict[str, Any]:
    """What report.json holds."""
    return {
        "column": column,
        "curves": [
            {name: x if isinstance(x, (str, int)) else x.tolist() for name, x in vars(c).items()}
            for c in drawn
        ],
        "evaluations": [dataclasses.asdict(summary) for summary in found],
        "embodiment": [dataclasses.asdict(row) for row in rows],
    }


def _tables(found: "Sequence[Summary]", rows: "Sequence[Row]") -> "list[Table]":
    """Of every suite how well it was played, how near to the fewest moves, and what planning cost,
    where there was any; then the embodiment gap."""
    from launch.report import tables

    suites = tables.by_suite(found)
    makers = (tables.evaluations, tables.optimality, tables.planning)
    made = [make(*each) for make in makers for each in suites.items()]
    return [table for table in [*made, tables.embodiment(rows)] if table.rows]
