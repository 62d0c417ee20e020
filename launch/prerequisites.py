"""Runs that an experiment begins with: their parameters become parts of its own.

`Experiment.prerequisites` maps the name of a part of the agent to an experiment, to a run's
folder, or to a configuration file. A run that is given is copied, in so far as it is needed, to
`<run>/prerequisites/NAME`; anything else is trained there first, as an ordinary run. Its
published parameters enter under `NAME/`; of a run whose own parameters have a part NAME, that
part alone does. So a policy is the part `policy` of a model learner's parameters, and of these in
turn nothing but the part `model` is a part of an imagining agent's.
"""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.actor_critic.config import ActorCriticConfig
from agents.models.config import ModelConfig
from agents.registry import name_of
from environments.errors import UserError
from experiments import registry
from experiments.base import Experiment
from launch import (
    companions,
    configuration,
    files,
    initial_policy,
    pretrained,
    run_folder,
    versions,
)
from launch.run_folder import RunFolder

if TYPE_CHECKING:
    from launch.outcome import Outcome
    from launch.progress import Display
    from launch.published import InitialParams
    from launch.runners import TrainingRunner
    from launch.signals import Stop

# Fields that say how a network learns, not what it is.
_OF_TRAINING = {field.name for field in dataclasses.fields(ActorCriticConfig)}


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the parameters of one part come from."""

    name: str  # of the part
    said: str  # what the experiment says
    experiment: Experiment
    run: RunFolder | None  # that is given; None if it is to be trained


def sources(experiment: Experiment) -> tuple[Source, ...]:
    """What an experiment begins with; nothing for a part that needs no training.

    Raises UserError if there is no such experiment or run, or its agent is not what the
    experiment's own needs in that place.
    """
    return tuple(
        _source(experiment, name, said)
        for name, said in experiment.prerequisites.items()
        if _is_trained(_part(experiment, name))
    )


def _source(experiment: Experiment, name: str, said: str) -> Source:
    path, run = pretrained.folder(said), None
    if said in registry.experiments():  # a folder here that is called like one: ./NAME
        found = registry.load(said)
    elif path.is_dir():
        run = run_folder.open_run(path)
        found = companions.resolved(configuration.load(run.config), run)
    elif path.is_file():
        found = companions.resolved(configuration.load(path), RunFolder(path.parent))
    elif "/" in said:
        raise UserError(f"prerequisites.{name}: there is no run {said}")
    else:
        found = registry.load(said)  # raises, and tells what there is
    _check_fit(experiment, name, said, found)
    if run is None:  # it is part of this run: the same seed, the same device
        runner = dataclasses.replace(found.runner, platform=experiment.runner.platform)
        found = dataclasses.replace(found, seed=experiment.seed, runner=runner)
    return Source(name, said, found, run)


def _part(experiment: Experiment, name: str) -> Any:
    """The configuration of the part of the agent that a prerequisite is for."""
    part = getattr(experiment.agent, name, None)
    if not dataclasses.is_dataclass(part):
        raise UserError(
            f"prerequisites.{name}: the agent {name_of(experiment.agent)} has no part {name!r}"
        )
    return part


def _is_trained(part: Any) -> bool:
    return not (isinstance(part, ModelConfig) and part.kind != "learned")


def _check_fit(experiment: Experiment, name: str, said: str, found: Experiment) -> None:
    """Raises UserError, naming the difference, if what is trained there is not what is needed."""
    here, there = _part(experiment, name), getattr(found.agent, name, found.agent)
    if type(here) is not type(there):
        raise UserError(
            f"prerequisites.{name}: agent.{name} is a {type(here).__name__} here, but a "
            f"{type(there).__name__} in {said}"
        )
    for field in dataclasses.fields(here):
        mine, other = getattr(here, field.name), getattr(there, field.name)
        if mine != other and field.name not in _OF_TRAINING:
            raise UserError(
                f"prerequisites.{name}: agent.{name}.{field.name} is {mine} here, but {other} "
                f"in {said}: set them alike, or give another prerequisite"
            )


def given(found: tuple[Source, ...]) -> "InitialParams | None":
    """The parameters of the runs that are given. Raises UserError if one has none, or damaged."""
    return _together({source.name: source.run for source in found if source.run is not None})


def write(run: RunFolder, found: tuple[Source, ...]) -> None:
    """Writes into a new run what it begins with, and copies of what is given."""
    for source in found:
        folder = _folder(run, source.name)
        with files.writing(folder.path):
            folder.path.mkdir(parents=True, exist_ok=True)
        configuration.save(companions.keep(folder, source.experiment), folder.config)
        if source.run is not None:
            files.atomic_write(folder.policy, source.run.policy.read_bytes())
            said = source.said
            if not pretrained.is_pretrained(said):
                said = str(source.run.path.resolve())
            _record(run, source.name, said, source.run)


def finish(
    run: RunFolder,
    experiment: Experiment,
    runner: "TrainingRunner",
    show: "Callable[[Experiment], Display]",
    stop: "Stop",
    *,
    resume: bool,
) -> "Outcome":
    """Trains what the run begins with and is not trained yet, and then the run itself.

    Args:
      run: the folder; `write` has prepared it.
      experiment: that run's.
      runner: of the experiment, made with `kept(run)`.
      show: begins to show the progress of a run; what was shown before ends.
      stop: looked at all the time.
      resume: go on from the newest whole checkpoint.
    """
    from launch.outcome import Outcome
    from launch.runners import make_runner

    waiting = [name for name in _names(run) if name not in _records(run)]
    for name in waiting:
        if stop.requested or not _train(_folder(run, name), show, stop):
            return Outcome(0, 0.0, False, {})
        _record(run, name, experiment.prerequisites[name], _folder(run, name))
    if waiting:
        runner = make_runner(experiment, kept(run))
    return runner.train(run, show(experiment), stop, resume=resume)


def _train(folder: RunFolder, show: "Callable[[Experiment], Display]", stop: "Stop") -> bool:
    """Trains one of them, from wherever it was; False if it was stopped before its end."""
    from launch.runners import make_runner

    experiment = companions.resolved(configuration.load(folder.config), folder)
    show(experiment).say(f"first of all {experiment.name}, in {folder.path}")
    with run_folder.lock(folder):
        begun = folder.versions.exists()
        found = () if begun else sources(experiment)
        runner = make_runner(experiment, kept(folder) if begun else given(found))
        if not begun:
            write(folder, found)
            files.atomic_write(folder.versions, json.dumps(versions.collect(), indent=2) + "\n")
        return finish(folder, experiment, runner, show, stop, resume=True).finished


def kept(run: RunFolder) -> "InitialParams | None":
    """The parameters of what a run begins with, in so far as it is trained."""
    return _together({name: _folder(run, name) for name in _records(run)})


def frames(run: RunFolder) -> int:
    """The frames of all that the run began with, and of all that these began with: prerequisites,
    and the policy of `--init-from`. Raises UserError if their record is damaged."""
    return initial_policy.frames(run) + sum(
        record["frames"] + record["prerequisite_frames"] for record in _records(run).values()
    )


def given_runs(run: RunFolder) -> list[Path]:
    """The folders of the runs that it was given as prerequisites, absolute."""
    paths = (Path(record["from"]) for record in _records(run).values())
    return [path for path in paths if path.is_absolute()]


def _record(run: RunFolder, name: str, said: str, source: RunFolder) -> None:
    """Notes that one stands, and what it took."""
    from launch import published

    trained = published.load(_folder(run, name).policy).frames
    records = _records(run) | {
        name: {
            "from": said,
            "frames": trained,
            "prerequisite_frames": frames(source),
        }
    }
    files.atomic_write(run.prerequisites_record, json.dumps(records, indent=2) + "\n")


def _records(run: RunFolder) -> dict[str, dict[str, Any]]:
    path = run.prerequisites_record
    try:
        return _checked(json.loads(path.read_text()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{path} is damaged: put back a copy of it, or start again: moravec train --config "
            f"{run.config}"
        ) from error


def _checked(records: Any) -> dict[str, dict[str, Any]]:
    """Raises ValueError, TypeError or KeyError if these are no records."""
    if not isinstance(records, dict):
        raise TypeError("not an object")
    for record in records.values():
        if not isinstance(record["from"], str):
            raise TypeError("from is no text")
        for name in ("frames", "prerequisite_frames"):
            if type(record[name]) is not int:
                raise ValueError(f"{name} is {record[name]!r}")
    return records


def _folder(run: RunFolder, name: str) -> RunFolder:
    return RunFolder(run.prerequisites / name)


def _names(run: RunFolder) -> list[str]:
    """Of the parts that the run begins with, trained or not."""
    return sorted(path.parent.name for path in run.prerequisites.glob("*/config.json"))


def _together(runs: dict[str, RunFolder]) -> "InitialParams | None":
    """The published parameters of these runs, each under its name; None of none."""
    from launch import published

    if not runs:
        return None
    arrays = {}
    for name, run in runs.items():
        params = published.load(run.policy).params
        part = {path: array for path, array in params.items() if path.startswith(f"{name}/")}
        arrays |= part or {f"{name}/{path}": array for path, array in params.items()}
    return published.InitialParams(arrays, tuple(runs))
