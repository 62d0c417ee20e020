"""`moravec bench`: measures speed, side by side with what there is to compare with."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import tyro

from environments.errors import UserError
from experiments.benchmarks.base import Measurement
from experiments.benchmarks.registry import benchmarks, load
from launch import bench_page


def main(args: list[str]) -> int:
    """Runs `moravec bench ARGS`; returns the exit status. A user's mistake raises UserError."""
    return tyro.cli(
        bench, prog="moravec bench", description="Measure speed, side by side.", args=args
    )


def bench(
    names: Annotated[
        tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[NAME]...")
    ] = (),
    all_: Annotated[bool, tyro.conf.arg(name="all"), tyro.conf.FlagCreatePairsOff] = False,
    as_json: Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff] = False,
    out: Path | None = None,
) -> int:
    """Run benchmarks, in the order given; without a name, list them.

    Args:
        names: Benchmarks.
        all_: Run every benchmark.
        as_json: Print one JSON document.
        out: Also put the figures into a page in Markdown, with machine and versions; what it
            tells of other benchmarks stays.
    """
    if all_ and names:
        raise UserError("give either names of benchmarks or --all")
    chosen = list(benchmarks().values()) if all_ else [load(name) for name in names]
    if not chosen:
        if as_json:
            raise UserError("name a benchmark, or give --all; `moravec bench` lists them")
        _list()
        return 0
    if out is not None:
        bench_page.check(out)
    found, missing = [], []
    for benchmark in chosen:
        print(f"{benchmark.name}: {benchmark.summary}", file=sys.stderr)
        try:
            found += benchmark.run()
        except UserError as error:
            # What the others measured is not lost.
            missing.append(str(error))
    if found or not missing:
        _show(found, as_json)
    if found and out is not None:
        from launch.versions import collect

        bench_page.write(out, found, benchmarks(), collect())
    if missing:
        raise UserError("; ".join(missing))
    return 0


def _list() -> None:
    for benchmark in benchmarks().values():
        print(f"  {benchmark.name:10}{benchmark.summary}")
    print("\nName one or more, or give --all.")


def _show(found: Iterable[Measurement], as_json: bool) -> None:
    if as_json:
        print(json.dumps([measurement.to_json() for measurement in found]))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("benchmark")
    table.add_column("metric", overflow="fold")
    for column in ("value", "unit", "baseline", "ratio"):
        table.add_column(column, justify="left" if column == "unit" else "right")
    for each in found:
        table.add_row(each.name, *bench_page.cells(each))
    Console().print(table)
