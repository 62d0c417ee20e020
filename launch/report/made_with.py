"""What was compared: runs, seeds, frames, time, and the versions that they were made with."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from launch.report.runs import Run
from launch.report.tables import Table, short
from launch.run_folder import RunFolder

_PACKAGES = ("jax", "jaxlib", "dm-haiku", "optax", "rlax", "numpy", "mujoco", "dm-reverb", "ray")


def compared(runs: Sequence[Run]) -> Table:
    """A row for each label. `updates` are told of runs whose metrics have them."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.label, []).append(run)
    rows = (
        (
            label,
            group[0].experiment.name,
            ", ".join(str(run.experiment.seed) for run in group),
            _range([_last(run, "frames") for run in group], short),
            _range([run.before for run in group], short),
            _range([_last(run, "updates") for run in group], short),
            _range([_seconds(run) for run in group], _duration),
        )
        for label, group in groups.items()
    )
    columns = ("label", "experiment", "seeds", "frames", "before it", "updates", "wall time")
    return Table("Runs", columns, tuple(rows), names=2).filled()


def versions(runs: Iterable[Run]) -> Table:
    """What the runs were made with; several values where they differ."""
    found: dict[str, dict[str, None]] = {}  # values in order
    for run in runs:
        for name, value in _versions(run).items():
            found.setdefault(name, {})[value] = None
    rows = ((name, ", ".join(values)) for name, values in found.items())
    return Table("Made with", ("what", "version"), tuple(rows), names=2)


def _versions(run: Run) -> dict[str, str]:
    """Nothing of a run whose record is absent or damaged: it may be older than this program."""
    try:
        record: dict[str, Any] = json.loads(RunFolder(run.path).versions.read_text())
        packages = record["packages"]
        git = record["git"] or {"revision": "", "changed": False}
        environment = record["environments"]
        devices = ", ".join(f"{x['count']} {x['kind']}" for x in record["devices"])
        found = {
            "moravec": packages.get("moravec", ""),
            "revision": git["revision"][:12] + (", changed" if git["changed"] else ""),
            "environments": " ".join(f"{name} v{version}" for name, version in environment.items()),
            "Python": record["python"],
            "platform": record["platform"],
            "devices": devices,
        }
        found |= {name: packages[name] for name in _PACKAGES if name in packages}
        return {name: value for name, value in found.items() if value}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _last(run: Run, column: str) -> int:
    """The newest number in a column that never decreases; 0 if it has none."""
    return max((int(row[column]) for row in run.rows if column in row), default=0)


def _seconds(run: Run) -> float:
    return max((row["seconds"] for row in run.rows if "seconds" in row), default=0.0)


def _range(values: Sequence[Any], spelt: Callable[[Any], str]) -> str:
    """The least and the greatest, once if they read alike; "" if all are 0."""
    ends = dict.fromkeys((spelt(min(values)), spelt(max(values))))
    return " to ".join(ends) if any(values) else ""


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes:.1f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
