"""The runs of a report: found in folders, and called by names that tell them apart."""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from environments.errors import UserError
from experiments.base import Experiment
from launch import configuration, initial_policy, loggers, prerequisites
from launch.run_folder import RunFolder


@dataclass(frozen=True)
class Run:
    """One training run, finished or not."""

    path: Path
    label: str  # of its curve; runs of one label differ in their seeds alone
    experiment: Experiment
    before: int  # frames of the runs that it began with
    rows: list[dict[str, float]]  # of metrics, frames counted without `before`


def frames_of(row: Mapping[str, float], column: str) -> int:
    """Of training before what `column` tells: an evaluation beside training is written in a later
    row than that of its policy."""
    evaluated = column.startswith(("evaluation/", "assessment/"))
    return int(row.get("evaluated_frames", row["frames"]) if evaluated else row["frames"])


def runs_in(paths: Iterable[Path]) -> list[Run]:
    """The runs in or below `paths`, each once, however often and however spelt it is given.

    What lies inside a run folder is a part of that run, and so is a run that another one was given
    as a prerequisite.

    Raises:
      UserError: there is no run in one of them, or a file of a run is damaged.
    """
    folders: dict[Path, RunFolder] = {}  # by resolved path
    for path in paths:
        below = list(_below(path, set()))
        if not below:
            raise UserError(f"{path} holds no run: give folders that train or sweep made")
        for folder in below:
            folders.setdefault(folder.resolve(), RunFolder(folder))
    parts = {p.resolve() for run in folders.values() for p in prerequisites.given_runs(run)}
    runs = [_load(folder) for path, folder in folders.items() if path not in parts]
    return [dataclasses.replace(run, label=label) for run, label in _labelled(runs)]


def _below(path: Path, seen: set[Path]) -> Iterator[Path]:
    """Run folders; links are followed, but nothing is searched twice, nor inside a run."""
    resolved = path.resolve()
    if resolved in seen:
        return
    seen.add(resolved)
    if (path / "config.json").is_file():
        yield path
        return
    with contextlib.suppress(OSError):  # not ours to read
        for folder in sorted(child for child in path.iterdir() if child.is_dir()):
            yield from _below(folder, seen)


def _load(folder: RunFolder) -> Run:
    experiment = configuration.load(folder.config)
    rows = loggers.read_csv(folder.metrics) if folder.metrics.exists() else []
    return Run(folder.path, experiment.name, experiment, prerequisites.frames(folder), rows)


def _labelled(runs: Sequence[Run]) -> list[tuple[Run, str]]:
    """Runs of one label are the seeds of one thing: they differ in nothing else.

    They are called by their sweep's variant or their experiment and, where that is not enough, by
    their folders.
    """
    groups: dict[str, list[Run]] = {}
    for run in runs:
        shared = home(run.path)
        name = run.experiment.name if shared == run.path.resolve() else shared.name
        groups.setdefault(name, []).append(run)
    labels: dict[Path, str] = {}
    for name, group in groups.items():
        kinds: dict[str, list[Run]] = {}
        for run in group:
            kinds.setdefault(_kind(run), []).append(run)
        parts = [part for kind in kinds.values() for part in _apart(kind)]
        folders = tails({home(run.path) for run in group})
        for part in parts:
            ends = dict.fromkeys(folders[home(run.path)] for run in (part[0], part[-1]))
            in_sweep = home(part[0].path) != part[0].path.resolve()
            longer = " to ".join(ends) if in_sweep else f"{name} {' to '.join(ends)}"
            labels |= {run.path: longer if len(parts) > 1 else name for run in part}
    return [(run, labels[run.path]) for run in runs]


def _apart(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs of one kind: together if each has a seed of its own; a seed twice is no two seeds."""
    seeds = {run.experiment.seed for run in runs}
    return [list(runs)] if len(seeds) == len(runs) else [[run] for run in runs]


def home(path: Path) -> Path:
    """The folder that all seeds of a run have in common where a sweep made it; else its own."""
    path = path.resolve()
    return path.parent if path.name.startswith("seed-") else path


def _kind(run: Run) -> str:
    """The same for two runs that differ in their seeds alone."""
    given = {name: str(home(Path(x))) for name, x in run.experiment.prerequisites.items()}
    folder = RunFolder(run.path)
    companions = sorted(folder.companions.glob("*/policy.npz"))
    origin = initial_policy.origin_of(folder)
    experiment = dataclasses.replace(run.experiment, seed=0, prerequisites=given)
    kind = (
        configuration.to_json(experiment),
        [hashlib.sha256(path.read_bytes()).hexdigest() for path in companions],
        str(home(Path(origin.run))) if origin else "",
    )
    return json.dumps(kind)


def tails(paths: Collection[Path]) -> dict[Path, str]:
    """For each of some paths its last names, as many as are needed to tell them apart."""
    names: dict[Path, str] = {}
    for count in range(1, max((len(path.parts) for path in paths), default=0) + 1):
        names = {path: "/".join(path.parts[-count:]) for path in paths}
        if len(set(names.values())) == len(names):
            break
    return names
