"""The level files of a run: named by absolute paths, and known by what is in them.

`<run>/levels.json` holds the SHA-256 sum of each level source that is a file or a folder, so that a
run goes on from any working directory, and never on other levels without a word.
"""

import json
from dataclasses import replace

from environments.errors import UserError, reason
from environments.games.sokoban.level_files import absolute, digest, path_of
from experiments.base import Experiment
from experiments.suites import SUITES
from launch import files
from launch.run_folder import RunFolder
from launch.suite_options import has_level_sets


def with_absolute_paths(experiment: Experiment) -> Experiment:
    """The same experiment, whatever the working directory is."""
    options, evaluation = experiment.environment, experiment.evaluation
    if not has_level_sets(options):
        return experiment
    levels: dict = {"levels": absolute(options.levels)}  # pyright: ignore[reportAttributeAccessIssue]
    suites = tuple(suite if suite in SUITES else absolute(suite) for suite in evaluation.suites)
    return replace(
        experiment,
        environment=replace(options, **levels),
        evaluation=replace(evaluation, suites=suites),
    )


def write(run: RunFolder, experiment: Experiment) -> None:
    """Keeps in a new run what its level files hold. Raises UserError if they cannot be read."""
    if not has_level_sets(experiment.environment):
        return
    sources = {experiment.environment.levels, *experiment.evaluation.suites}  # pyright: ignore[reportAttributeAccessIssue]
    sums = {source: digest(source) for source in sorted(sources - {*SUITES})}
    sums = {source: value for source, value in sums.items() if value}
    if sums:
        files.atomic_write(run.levels, json.dumps(sums, indent=2) + "\n")


def check(run: RunFolder) -> None:
    """Raises UserError if a run's level files are no longer what they were when it began."""
    try:
        sums = json.loads(run.levels.read_text())
    except FileNotFoundError:  # it has none, or is of before they were kept
        return
    except OSError as error:
        raise UserError(f"cannot read {run.levels}: {reason(error)}") from error
    except ValueError as error:
        raise UserError(f"{run.levels} is not JSON: {error}") from error
    for source, value in sums.items():
        if digest(source) != value:
            what = "has changed" if path_of(source) else "has gone"
            raise UserError(
                f"{source}, from which {run.path} takes levels, {what} since it began: put the "
                f"levels back, or begin anew with --config {run.config}"
            )
