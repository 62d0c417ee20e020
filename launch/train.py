"""`moravec train`: begins or continues a run."""

import contextlib
import dataclasses
import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from agents.drc.config import DRCConfig
from environments.errors import UserError
from experiments import registry
from experiments.base import Experiment
from experiments.suites import expand
from launch.several_values import joined

if TYPE_CHECKING:
    from launch.outcome import Outcome
    from launch.published import InitialParams
    from launch.run_folder import RunFolder


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Options of a new run."""

    experiment: Annotated[Experiment, tyro.conf.arg(name="")]
    # The folder that the run makes; by default runs/EXPERIMENT/DATE-TIME.
    run_dir: Path | None = None
    # A run whose parameters to begin with.
    init_from: Path | None = None
    # Show no progress.
    quiet: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False


@dataclasses.dataclass(frozen=True)
class ResumeArguments:
    """Options of a run that goes on; everything else is as it was."""

    # The folder of the run.
    resume: Annotated[Path, tyro.conf.arg(metavar="DIR")]
    # A new budget in frames; schedules follow it.
    max_frames: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    # Stop after so many minutes of training, those before included; 0 for no limit.
    max_minutes: Annotated[float | None, tyro.conf.arg(metavar="M")] = None
    # Show no progress.
    quiet: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False


def main(args: list[str]) -> int:
    """Runs `moravec train ARGS`. A user's mistake raises UserError."""
    arguments = parse(args)
    return _resume(arguments) if isinstance(arguments, ResumeArguments) else _begin(arguments)


def parse(args: list[str]) -> Arguments | ResumeArguments:
    """What the arguments ask for. Raises UserError, or exits with 2, if they are wrong."""
    if any(arg.split("=")[0] == "--resume" for arg in args):
        return tyro.cli(ResumeArguments, prog="moravec train", args=args)
    experiment, rest = _experiment(args)
    arguments = tyro.cli(
        Arguments,
        prog=f"moravec train [{experiment.name}]",
        description=f"Trains {experiment.name}. Give another EXPERIMENT first: see moravec list. "
        "Or: --config FILE (a run's config.json), --resume DIR (an interrupted run).",
        default=Arguments(experiment),
        args=joined(rest, experiment),
    )
    evaluation = arguments.experiment.evaluation
    evaluation = dataclasses.replace(evaluation, suites=expand(evaluation.suites))
    experiment = dataclasses.replace(arguments.experiment, evaluation=evaluation)
    return dataclasses.replace(arguments, experiment=experiment)


def _experiment(args: list[str]) -> tuple[Experiment, list[str]]:
    """The experiment that the arguments name, or that a file holds, and the other arguments."""
    for index, arg in enumerate(args):
        name, equals, value = arg.partition("=")
        if name == "--config":
            rest = args[:index] + args[index + (1 if equals else 2) :]
            file = value or "".join(args[index + 1 : index + 2])
            if not file:
                raise UserError("--config needs a file: the config.json of a run")
            if rest and not rest[0].startswith("-"):
                raise UserError(f"give --config or the experiment {rest[0]!r}, not both")
            from launch import companions, configuration
            from launch.run_folder import RunFolder

            found, run = configuration.load(Path(file)), RunFolder(Path(file).parent)
            given = {argument.partition("=")[0].replace("_", "-") for argument in rest}
            if run.initial_policy.exists() and "--init-from" not in given:
                print(
                    f"{run.path} began with a trained policy, which its configuration does not "
                    "hold: this run begins without; --init-from gives it one",
                    file=sys.stderr,
                )
            return companions.resolved(found, run), rest
    if args and not args[0].startswith("-"):
        return registry.load(args[0]), args[1:]
    return registry.load(registry.DEFAULT), args


def _begin(arguments: Arguments) -> int:
    from launch import (
        companions,
        configuration,
        initial_policy,
        level_record,
        prerequisites,
        run_folder,
        versions,
    )
    from launch.files import atomic_write

    experiment = level_record.with_absolute_paths(arguments.experiment)
    init_from = arguments.init_from
    experiment.check_discounts()
    path = arguments.run_dir
    if path is not None:
        run_folder.check_new(path)  # and again when it is made: JAX and levels take long to load
    policy, found = None, ()
    if init_from is not None:  # it brings all there is
        source = run_folder.open_run(init_from)
        policy = initial_policy.read(source, prerequisites.frames(source))
        params = policy.params
    else:
        found = prerequisites.sources(experiment)
        params = prerequisites.given(found)

    @contextmanager
    def folder() -> "Iterator[RunFolder]":
        run = run_folder.create(path) if path else run_folder.create_default(experiment.name)
        with run_folder.lock(run):
            try:
                if policy:
                    initial_policy.keep(run, policy)
                prerequisites.write(run, found)
                level_record.write(run, experiment)
                configuration.save(companions.keep(run, experiment), run.config)
                atomic_write(run.versions, json.dumps(versions.collect(), indent=2) + "\n")
                yield run
            except UserError:
                run_folder.remove_unused(run)
                raise

    return _train(experiment, folder(), arguments.quiet, initial_params=params)


def _resume(arguments: ResumeArguments) -> int:
    from launch import companions, configuration, level_record, prerequisites, published, run_folder
    from launch.pretrained import is_pretrained

    if is_pretrained(arguments.resume):
        raise UserError(f"{arguments.resume} has no checkpoints: give it to --init-from instead")
    run = run_folder.open_run(arguments.resume)
    level_record.check(run)
    began = run.initial_policy
    if began.exists():
        params = published.InitialParams(published.load(began).params)
    else:
        params = prerequisites.kept(run)
    before = configuration.load(run.config)
    changes = {"max_frames": arguments.max_frames, "max_minutes": arguments.max_minutes}
    changes = {name: value for name, value in changes.items() if value is not None}
    changed = dataclasses.replace(before, **changes)

    @contextmanager
    def folder() -> "Iterator[RunFolder]":
        with run_folder.lock(run):
            if changed != before:
                configuration.save(changed, run.config)
            yield run

    experiment = companions.resolved(changed, run)
    return _train(experiment, folder(), arguments.quiet, resume=True, initial_params=params)


def _train(
    experiment: Experiment,
    folder: "AbstractContextManager[RunFolder]",
    quiet: bool,
    *,
    resume: bool = False,
    initial_params: "InitialParams | None" = None,
) -> int:
    """Trains in `folder`, which is entered only when nothing can be wrong with the experiment."""
    from launch import progress, signals

    screen = progress.Screen(quiet)
    display = screen.show(experiment)
    try:
        with signals.stop_on_signals(screen.say, screen.close) as stop:
            display.say("starting")
            from launch import prerequisites
            from launch.runners import make_runner  # seconds: JAX, Haiku, rlax

            display.say("loading levels")
            runner = make_runner(experiment, initial_params)
            with folder as run:
                outcome = prerequisites.finish(
                    run, experiment, runner, screen.show, stop, resume=resume
                )
    finally:
        screen.close()
    before = prerequisites.frames(run)
    with contextlib.suppress(OSError):  # the terminal is gone
        print(_farewell(run.path, outcome, experiment, before), file=sys.stderr)
    return 0


def _farewell(path: Path, outcome: "Outcome", experiment: Experiment, before: int) -> str:
    """What was reached, where it lies, and what to type next.

    `before`: the frames of the runs that this one began with.
    """
    from launch.outcome import program

    shown, called = shlex.quote(str(path)), program()
    late = outcome.finished and outcome.frames < experiment.max_frames
    did = "time is up" if late else "finished" if outcome.finished else "stopped"
    frames = f"{outcome.frames:,} frames" + (
        f" and {before:,} of the runs that it began with" if before else ""
    )
    lines = [f"{did} after {frames}, {outcome.seconds / 60:.1f} minutes: {shown}"]
    lines += _reached(outcome.evaluation)
    if late:
        lines.append(f"more: {called} train --resume {shown} --max-minutes 0")
    if not outcome.finished:
        lines.append(f"next: {called} train --resume {shown}")
    elif isinstance(experiment.agent, DRCConfig):
        lines.append(f"next: {called} evaluate {shown} --thinking-steps 0 2 4")
    else:
        lines.append(f"next: {called} report {shown}")
    return "\n".join(lines)


def _reached(evaluation: dict[str, float]) -> list[str]:
    """A line for each suite; of two-player games it tells wins, and draws with them; or the score.

    Of a model learner, whose policy does not learn, what it predicts there instead.
    """
    lines = []
    predicting = {
        column.removeprefix("assessment/").rpartition("/")[0]
        for column in evaluation
        if column.startswith("assessment/")
    }
    for column, rate in evaluation.items():
        if column.startswith("assessment/"):
            lines.append(f"    {column.rsplit('/', 1)[1]} {rate:.4f}")
            continue
        first, _, kind = column.rpartition("/")
        if kind in ("not_lost", "score") and first in evaluation:
            continue
        suite, not_lost = column.removeprefix("evaluation/"), evaluation.get(f"{column}/not_lost")
        if suite in predicting:
            lines.append(f"  {suite}, what is predicted there:")
            continue
        did = "solved" if not_lost is None else f"won, {not_lost:.1%} not lost"
        if (score := evaluation.get(f"{column}/score")) is not None:
            did = f"survived, score {score:.1f}"
        lines.append(f"  {suite}: {rate:.1%} {did}, greedy")
    return lines
