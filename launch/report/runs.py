"""What a report is about: runs found below folders, their curves, and how they were evaluated."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments.errors import UserError
from environments.registry import name_of
from experiments.base import Experiment
from launch import configuration, loggers, prerequisites, pretrained
from launch.columns import column_name
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


@dataclass(frozen=True)
class Evaluated:
    """How well one policy did on one suite, greedily."""

    label: str
    run: str
    source: Run | None  # None of a baseline
    environment: str
    options: dict[str, Any]  # of the environment
    frames: int  # of training, those of the runs that it began with counted in
    suite: str
    thinking_steps: int
    simulations: int  # of a search before every move; 0 for none
    episodes: int
    rate: float
    ci95: tuple[float, float]
    mean_return: float | None  # None if only the rate is known
    outcomes: dict[str, int]  # episodes by how they ended; empty if only the rate is known
    metrics: dict[str, float]


def collect(paths: Iterable[Path]) -> tuple[list[Run], list[Evaluated]]:
    """The runs in or below `paths`, and all evaluations of them, the newest of each kind.

    Runs that others of them began with are parts of these, and left out. A path may also be a file
    that `moravec evaluate --json` printed: of a baseline, for example.

    Raises UserError if one of them holds neither.
    """
    folders, results = [], []
    for path in map(pretrained.folder, paths):
        if path.is_file():
            results += [_evaluated(result, result["run"], None) for result in _list(path)]
            continue
        found = _runs_below(path)
        if not found:
            raise UserError(f"{path} holds no run: give folders that train or sweep made")
        folders += [folder for folder in found if folder not in folders]
    begun_with = {start for folder in folders for start in _begun_with(RunFolder(folder))}
    folders = [folder for folder in folders if folder.resolve() not in begun_with]
    runs = _labelled([RunFolder(folder) for folder in folders])
    for run in runs:
        results += _newest(_evaluations(run))
    return runs, results


def _runs_below(path: Path) -> list[Path]:
    """Run folders, without those that others began with."""
    if (path / "config.json").is_file():
        return [path]
    found = (config.parent for config in sorted(path.glob("**/config.json")))
    return [folder for folder in found if "prerequisites" not in folder.relative_to(path).parts]


def _labelled(folders: Sequence[RunFolder]) -> list[Run]:
    experiments = [configuration.load(folder.config) for folder in folders]
    # Of runs outside a sweep, those of one name may differ in more than their seeds.
    kinds: dict[str, set[str]] = {}
    for experiment in experiments:
        kinds.setdefault(experiment.name, set()).add(_but_for_the_seed(experiment))
    return [
        Run(
            path=folder.path,
            label=_label(folder.path, experiment, ambiguous=len(kinds[experiment.name]) > 1),
            experiment=experiment,
            before=prerequisites.frames(folder),
            rows=loggers.read_csv(folder.metrics) if folder.metrics.exists() else [],
        )
        for folder, experiment in zip(folders, experiments, strict=True)
    ]


def _label(path: Path, experiment: Experiment, *, ambiguous: bool) -> str:
    if path.absolute().name.startswith("seed-"):  # as a sweep lays them out
        return path.absolute().parent.name
    return f"{experiment.name} {path.name}" if ambiguous else experiment.name


def _but_for_the_seed(experiment: Experiment) -> str:
    return json.dumps(configuration.to_json(dataclasses.replace(experiment, seed=0)))


def _begun_with(folder: RunFolder) -> list[Path]:
    """The runs that this one was given to begin with."""
    record = folder.prerequisites_record
    entries = _read(record).values() if record.exists() else ()
    return [path for each in entries if (path := Path(each["from"])).is_absolute()]


def _evaluations(run: Run) -> list[Evaluated]:
    """From the files of `moravec evaluate`, and from the last evaluation in training."""
    paths = sorted(RunFolder(run.path).evaluation.glob("*.json"))
    found = [_evaluated(_read(path), run.label, run) for path in paths]
    return found + _from_training(run)


def _evaluated(result: dict[str, Any], label: str, source: Run | None) -> Evaluated:
    try:
        simulations = int(result["metrics"].get("simulations", 0))
        low, high = result["ci95"]
        return Evaluated(
            label=label,
            run=result["run"],
            source=source,
            environment=result["environment"],
            options=result["options"],
            frames=result["frames"] + (source.before if source else 0),
            suite=result["suite"],
            thinking_steps=result["thinking_steps"],
            simulations=simulations,
            episodes=result["episodes"],
            rate=result["rate"],
            ci95=(low, high),
            mean_return=result["mean_return"],
            outcomes=dict(result["outcomes"]),
            metrics=result["metrics"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{label}: this is no result of moravec evaluate --json") from error


def _from_training(run: Run) -> list[Evaluated]:
    """The last rates in the metrics, for suites that nobody evaluated on afterwards."""
    from launch.evaluation import wilson

    found = []
    for suite in run.experiment.evaluation.suites:
        column = column_name(suite)
        rows = [row for row in run.rows if column in row]
        # What a suite holds is known only by loading it: fewer levels would widen the interval.
        episodes = run.experiment.evaluation.episodes
        if not rows or not episodes:
            continue
        rate = rows[-1][column]
        frames = frames_of(rows[-1], column) + run.before
        interval = wilson(round(rate * episodes), episodes)
        found.append(
            Evaluated(
                label=run.label,
                run=str(run.path),
                source=run,
                environment=name_of(run.experiment.environment),
                options=dataclasses.asdict(run.experiment.environment),
                frames=frames,
                suite=suite,
                thinking_steps=0,
                simulations=0,
                episodes=episodes,
                rate=rate,
                ci95=interval,
                mean_return=None,
                outcomes={},
                metrics={},
            )
        )
    return found


def _newest(results: Iterable[Evaluated]) -> list[Evaluated]:
    """Of every kind of evaluation the one after most frames; of these, of most episodes."""
    newest: dict[tuple, Evaluated] = {}
    for result in results:
        kind = result.suite, result.thinking_steps, result.simulations
        if kind not in newest or (result.frames, result.episodes) > (
            newest[kind].frames,
            newest[kind].episodes,
        ):
            newest[kind] = result
    return list(newest.values())


def _list(path: Path) -> list[dict[str, Any]]:
    """The results in what `moravec evaluate --json` printed."""
    results = _read(path)
    if not isinstance(results, list) or not all(
        isinstance(x, dict) and "run" in x for x in results
    ):
        raise UserError(f"{path} is not what moravec evaluate --json prints")
    return results


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error
