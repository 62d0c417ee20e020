"""In which keys of their configurations the runs of a report differ."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from launch import configuration
from launch.report.runs import Run


@dataclass(frozen=True)
class Differences:
    """Configurations by dotted key, values as JSON; "" of a label that has no such key."""

    labels: tuple[str, ...]
    differing: dict[str, tuple[str, ...]]  # one value for each label
    common: dict[str, str]


def differences(runs: Iterable[Run]) -> Differences:
    """Of the first run of each label: the others differ from it in their seeds, which are left out.

    Runs of a sweep's label may also begin with other runs of the same kind.
    """
    first: dict[str, Run] = {}
    for run in runs:
        first.setdefault(run.label, run)
    flat = {label: _flat(configuration.to_json(run.experiment)) for label, run in first.items()}
    differing, common = {}, {}
    for key in dict.fromkeys(key for each in flat.values() for key in each):
        values = tuple(each.get(key, "") for each in flat.values())
        if len(set(values)) > 1:
            differing[key] = values
        else:
            common[key] = values[0]
    return Differences(tuple(flat), differing, common)


def _flat(document: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in document.items():
        key = f"{prefix}{name}"
        if key == "seed":
            continue
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{key}.")
        else:
            found[key] = value if isinstance(value, str) and value else json.dumps(value)
    return found
