"""The evaluations of a report: results in run folders, and those that are given as files."""

import dataclasses
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments.errors import UserError
from environments.registry import name_of
from launch import pretrained, results
from launch.environment_arguments import BASELINES
from launch.report.runs import Run
from launch.results import Result
from launch.run_folder import RunFolder
from launch.suite_options import told

# What the suite decides, and what is told beside it.
_OF_SUITE = ("levels", "opponent", "board")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluated:
    """How well one policy did on one suite, greedily."""

    label: str
    source: Run | None  # None of a result that was given as a file, such as a baseline's
    result: Result

    @property
    def frames(self) -> int:
        """Of training, those of the runs that it began with counted in."""
        return self.result.frames + (self.source.before if self.source else 0)


def collect(runs: Sequence[Run], paths: Iterable[Path]) -> list[Evaluated]:
    """What lies in the runs' folders `evaluation`, and what `moravec evaluate --json` printed into
    files: of every kind of evaluation of a run the newest.

    What was printed of one of the runs, in its own environment, is that run's; anything else, such
    as a baseline's, stands by itself. A file in a run folder that holds no result is left out, with
    a warning.

    Raises:
      UserError: one of `paths` holds something else.
    """
    printed: list[Result] = []
    for result in (result for path in paths for result in _printed(path)):
        if result not in printed:
            printed.append(result)
    evaluated, own = [], []
    for run in runs:
        of_run = [result for result in printed if _is_of(run, result)]
        own += of_run
        evaluated += [Evaluated(run.label, run, x) for x in _newest([*_read(run), *of_run])]
    others: dict[str, list[Result]] = {}
    for result in printed:
        if result not in own:
            others.setdefault(_label(result, printed), []).append(result)
    return evaluated + [
        Evaluated(label, None, result)
        for label, group in others.items()
        for result in _newest(group)
    ]


def _is_of(run: Run, result: Result) -> bool:
    """Whether a result is of this run, in the environment that it was trained in."""
    environment = run.experiment.environment
    if result.run in BASELINES or result.environment != name_of(environment):
        return False
    try:
        folder = pretrained.folder(result.run)
    except UserError:  # of another version
        return False
    options = json.loads(json.dumps(dataclasses.asdict(told(environment))))
    return folder.resolve() == run.path.resolve() and all(
        result.options.get(name) == value
        for name, value in options.items()
        if name not in _OF_SUITE
    )


def _read(run: Run) -> list[Result]:
    found = []
    for path in sorted(RunFolder(run.path).evaluation.glob("*.json")):
        try:
            found.append(results.read(path))
        except UserError as error:
            _log.warning("left out: %s", error)
    return found


def _newest(found: Iterable[Result]) -> list[Result]:
    """Of every kind of evaluation the one after most frames; of these, of most episodes."""
    newest: dict[tuple, Result] = {}
    for result in found:
        kind = kind_of(result)
        if kind not in newest or _age(result) > _age(newest[kind]):
            newest[kind] = result
    return list(newest.values())


def kind_of(result: Result) -> tuple:
    """What two evaluations of one policy must have in common to be compared."""
    return (
        *(result.environment, result.environment_version, result.suite, result.seed),
        *(result.thinking_steps, result.simulations, result.model),
    )


def _age(result: Result) -> tuple[int, int, int]:
    return result.frames, result.model_frames, result.episodes


def _printed(path: Path) -> list[Result]:
    document = results.read_json(path)
    try:
        if not isinstance(document, list):
            raise UserError("it is no list")
        return [results.from_json(entry) for entry in document]
    except UserError as error:
        raise UserError(f"{path} is not what moravec evaluate --json prints: {error}") from error


def _label(result: Result, printed: Sequence[Result]) -> str:
    """Who played and, if others of that name did so after other frames or in another environment,
    after how many and in which one."""
    others = [
        other
        for other in printed
        if (other.run, other.environment) == (result.run, result.environment)
    ]
    parts = [result.run]
    if any(other.frames != result.frames for other in others):
        parts.append(f"{result.frames:,} frames")
    parts += [
        f"{name} {_spelt(value)}"
        for name, value in result.options.items()
        if name not in _OF_SUITE and any(other.options.get(name) != value for other in others)
    ]
    return ", ".join(parts)


def _spelt(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
