"""Runs that an environment goes by: the policy that is its expert, what reads its pictures.

Of each a copy of what is needed lies in `<run>/companions/NAME`, and the saved configuration names
it `./companions/NAME`: a run may be moved, and the other ones may go on or away.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from environments.hints.experts import is_run
from environments.registry import EnvironmentOptions
from experiments.base import Experiment
from launch import files, run_folder
from launch.pretrained import is_pretrained
from launch.run_folder import RunFolder

_KEPT = "./companions/"


def keep(run: RunFolder, experiment: Experiment) -> Experiment:
    """Copies them into a new run.

    Returns:
      The experiment as it is to be saved there.

    Raises:
      UserError: one of them is no run, or cannot be copied.
    """
    kept = {}
    for name, said in _named(experiment.environment).items():
        source = run_folder.open_run(Path(said))
        copy = RunFolder(run.companions / name)
        with files.writing(copy.path):
            copy.path.mkdir(parents=True, exist_ok=True)
            files.atomic_write(copy.config, source.config.read_bytes())
            files.atomic_write(copy.policy, source.policy.read_bytes())
        kept[name] = _KEPT + name
    return replace(experiment, environment=_renamed(experiment.environment, kept))


def resolved(experiment: Experiment, run: RunFolder) -> Experiment:
    """The experiment that `run` holds, with the paths of what `keep` has copied."""
    found = {
        name: str(run.companions.absolute() / name)
        for name, said in _named(experiment.environment).items()
        if said == _KEPT + name
    }
    return replace(experiment, environment=_renamed(experiment.environment, found))


def _named(options: EnvironmentOptions) -> dict[str, str]:
    """The runs that the options name, by what they are for; not those that come along."""
    hints, perception = getattr(options, "hints", None), getattr(options, "perception", "")
    found = {"perception": perception} if perception else {}
    if hints is not None and is_run(hints.expert):
        found["expert"] = hints.expert
    return {name: said for name, said in found.items() if not is_pretrained(said)}


def _renamed(options: EnvironmentOptions, runs: Mapping[str, str]) -> EnvironmentOptions:
    changes: dict = {name: said for name, said in runs.items() if name != "expert"}
    if "expert" in runs:
        hints = options.hints  # pyright: ignore[reportAttributeAccessIssue]
        changes["hints"] = replace(hints, expert=runs["expert"])
    return replace(options, **changes)
