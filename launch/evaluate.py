"""`moravec evaluate`: plays whole suites with a trained policy, or at random."""

import dataclasses
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from environments.errors import UserError
from environments.registry import EnvironmentOptions, make_options

if TYPE_CHECKING:
    from launch.evaluation import Contestant, Result

BASELINES = ("random",)


@dataclass(frozen=True)
class Arguments:
    """Play every level of each suite once, greedily, and report the solve rate."""

    # A run folder, or `random`, which plays at random.
    run: tyro.conf.Positional[str]
    # Of a baseline: the environment it plays.
    environment: str | None = None
    # Suites (see moravec list) or level sources; by default those of the run's experiment.
    suite: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    # How often the policy sees the first observation before it acts on it; several to compare.
    thinking_steps: tuple[int, ...] = (0,)
    # The first so many levels of each suite, in file order; 0 for all of them.
    episodes: int = 0
    # Decides what is random in policy or environment.
    seed: int = 0
    # Print one JSON document on standard output, and nothing else there.
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False

    def __post_init__(self):
        for name, values in (
            ("episodes", (self.episodes,)),
            ("seed", (self.seed,)),
            ("thinking-steps", self.thinking_steps),
        ):
            if not values:
                raise UserError(f"--{name} needs at least one number")
            given = " ".join(map(str, values))
            if not 0 <= min(values) <= max(values) < 2**32:
                raise UserError(f"--{name} must be from 0 to {2**32 - 1}, not {given}")
        if self.environment and self.run not in BASELINES:
            raise UserError(f"--environment is for {', '.join(BASELINES)}; a run knows its own")


def main(args: list[str]) -> int:
    """Runs `moravec evaluate ARGS`. A user's mistake raises UserError."""
    arguments = parse(args)
    contestant, suites = _contestant(arguments)
    results = list(_results(arguments, contestant, arguments.suite or suites))
    if arguments.json:
        print(json.dumps([dataclasses.asdict(result) for result in results], indent=2))
    else:
        _print_table(results)
    return 0


def parse(args: list[str]) -> Arguments:
    """What the arguments ask for. Raises UserError, or exits with 2, if they are wrong."""
    return tyro.cli(Arguments, prog="moravec evaluate", args=args)


def _contestant(arguments: Arguments) -> "tuple[Contestant, tuple[str, ...]]":
    """Who plays, and the suites that its experiment evaluates on."""
    from launch.evaluation import Contestant, random_contestant

    if arguments.run in BASELINES:
        options = _baseline_options(arguments)
        if not arguments.suite:
            raise UserError(f"give --suite: {arguments.run} has no suites of its own")
        return random_contestant(options, arguments.suite[0]), ()
    from launch.policy import load_policy

    policy = load_policy(arguments.run)
    experiment = policy.experiment
    contestant = Contestant(
        run=str(Path(arguments.run)),
        frames=policy.frames,
        agent=policy.agent,
        params=policy.params,
        options=experiment.environment,
        spec=policy.spec,
    )
    return contestant, experiment.evaluation.suites


def _baseline_options(arguments: Arguments) -> EnvironmentOptions:
    return make_options(arguments.environment or "sokoban")


def _results(
    arguments: Arguments, contestant: "Contestant", suites: tuple[str, ...]
) -> "Iterator[Result]":
    from launch.evaluation import evaluate

    if not suites:
        raise UserError("give --suite: this run's experiment names none")
    for suite in suites:
        for thinking_steps in arguments.thinking_steps:
            print(f"playing {suite}, {thinking_steps} thinking steps", file=sys.stderr)
            result = evaluate(
                contestant,
                suite,
                episodes=arguments.episodes,
                thinking_steps=thinking_steps,
                seed=arguments.seed,
                report=lambda played: print(f"  {played} levels", file=sys.stderr),
            )
            if arguments.run not in BASELINES:
                _keep(result)
            yield result


def _keep(result: "Result") -> None:
    """Writes the result into the run folder; one that cannot be written to is only said."""
    from launch import files, run_folder

    slug = re.sub(r"[^A-Za-z0-9]+", "-", result.suite).strip("-")
    played = f"{result.episodes}_thinking{result.thinking_steps}_seed{result.seed}"
    name = f"{result.frames}_{slug}_{played}.json"
    folder = run_folder.RunFolder(Path(result.run)).evaluation
    try:
        with files.writing(folder):
            folder.mkdir(exist_ok=True)
        files.atomic_write(folder / name, json.dumps(dataclasses.asdict(result), indent=2) + "\n")
    except UserError as error:
        print(f"not kept: {error}", file=sys.stderr)


def _print_table(results: "list[Result]") -> None:
    from rich import markup
    from rich.console import Console
    from rich.table import Table

    first = results[0]
    table = Table(
        title=f"{markup.escape(first.run)}, {first.frames:,} frames", title_justify="left"
    )
    for column in ("suite", "thinking", "levels", "success", "95 %", "return", "length"):
        name = column == "suite"  # a long one is folded; numbers are not
        justify = "left" if name else "right"
        table.add_column(column, justify=justify, no_wrap=not name, overflow="fold")
    for result in results:
        low, high = result.ci95
        table.add_row(
            markup.escape(result.suite),
            str(result.thinking_steps),
            str(result.episodes),
            f"{result.rate:.1%}",
            f"{low:.1%} to {high:.1%}",
            f"{result.mean_return:.2f}",
            f"{result.mean_length:.1f}",
        )
    Console().print(table)
