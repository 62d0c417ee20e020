"""report.html: one file that holds all of a report, plots and videos too, and needs no network."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from launch.report import made_with, media, plots, tables
from launch.report.configurations import Differences, differences
from launch.report.curves import Curve
from launch.report.runs import Run
from launch.report.summaries import Summary
from launch.report.tables import Table

MOST = 15_000_000  # bytes of the page
_NAMED = 4  # labels in the title
_RESERVE = 100_000  # of them, for what stands around videos
_KINDS = {
    "successes": "Successes",
    "failures": "Failures",
    "both": "Successes and failures",
    "unknown": "Not recorded how they ended",
}


@dataclass(frozen=True)
class Content:
    """All that a page tells."""

    runs: Sequence[Run]
    curves: Sequence[Curve]
    column: str  # of metrics, that the curves show
    learning: plots.Picture | None
    evaluations: Sequence[Summary]
    unevaluated: Sequence[Run]  # that were trained, but have no result
    embodiment: Table


def render(content: Content) -> str:
    """The page as HTML, in at most `MOST` bytes but for plots and tables that are larger."""
    template = _template()
    parts = _parts(content)
    size = len(template.render(**parts, videos={}, imagined=[], left_out=[]).encode())
    shown, left_out = media.choose(content.runs, MOST - _RESERVE - size)
    plain = [each for each in shown if not each.clip.imagined]
    grouped = {
        title: [each for each in plain if each.clip.kind == kind] for kind, title in _KINDS.items()
    }
    return template.render(
        **parts,
        videos={title: group for title, group in grouped.items() if group},
        imagined=[each for each in shown if each.clip.imagined],
        left_out=[str(path) for path in left_out],
    )


def _parts(content: Content) -> dict[str, Any]:
    runs, suites = content.runs, tables.by_suite(content.evaluations)
    thought = {suite: tables.thinking(suite, found) for suite, found in suites.items()}
    found: Differences = differences(runs)
    named = [run.label for run in runs] or [each.label for each in content.evaluations]
    labels = list(dict.fromkeys(named))
    more = [f"{len(labels) - _NAMED} more"] if len(labels) > _NAMED else []
    return {
        "title": ", ".join([*labels[:_NAMED], *more]),
        "compared": made_with.compared(runs),
        "versions": made_with.versions(runs),
        "unevaluated": list(dict.fromkeys(run.label for run in content.unevaluated)),
        "paths": [(run.label, run.experiment.seed, str(run.path)) for run in runs],
        "learning": content.learning,
        "learning_says": plots.drawn(content.curves),
        "embodiment": content.embodiment,
        "evaluations": _some(tables.evaluations(*each) for each in suites.items()),
        "thinking": [
            (table, plots.thinking(suite, suites[suite]))
            for suite, table in thought.items()
            if table.rows
        ],
        "optimality": _some(tables.optimality(*each) for each in suites.items()),
        "planning": _some(tables.planning(*each) for each in suites.items()),
        "throughput": _throughput(runs),
        "differing": tables.configurations(found),
        "several": len(found.labels) > 1,
        "common": Table("", ("key", "value"), tuple(found.common.items()), names=2),
    }


def _throughput(runs: Sequence[Run]) -> list[plots.Picture]:
    """Speed, and the age of the data that was learnt from."""
    found = (
        plots.over_training(
            runs, {"frames_per_second": ""}, "Throughput over training", "frames per second"
        ),
        plots.over_training(
            runs,
            {"staleness/versions_mean": "mean", "staleness/versions_max": "greatest"},
            "Age of the data in versions of the policy",
            "age in versions",
        ),
        plots.over_training(
            runs,
            {"staleness/seconds_median": "median", "staleness/seconds_95": "95 %"},
            "Age of the data in seconds",
            "age in seconds",
        ),
    )
    return [picture for picture in found if picture]


def _some(found: Iterable[Table]) -> list[Table]:
    return [table for table in found if table.rows]


def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["png"] = lambda data: media.data_uri(data, "image/png")
    return environment.get_template("page.html.jinja")
