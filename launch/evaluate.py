"""`moravec evaluate`: plays whole suites with a trained policy, at random or by a script."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from environments.errors import UserError
from environments.registry import EnvironmentOptions
from experiments.suites import expand
from launch.environment_arguments import BASELINES, own_environment, player_of
from launch.pretrained import is_pretrained
from launch.progress import now_and_then
from launch.several_values import joined

if TYPE_CHECKING:
    from launch.results import Result

    Evaluator = Callable[..., Result]  # (suite, *, episodes, thinking_steps, seed, report)

_BASELINES = (*BASELINES, "mcts")
_REPORT_SECONDS = 2.0
_SIMULATIONS = 200  # of mcts by itself


@dataclass(frozen=True)
class Arguments:
    """Play every level of each suite once, greedily, and report the solve rate."""

    # A run folder, or pretrained:NAME (see moravec list); random, which plays at random; scripted,
    # which reads the simulator; solver, which plays Sokoban with the fewest moves; or mcts, which
    # searches Sokoban's positions.
    run: tyro.conf.Positional[str]
    # Options of the environment; a run's own by default. --environment NAME chooses it, for who is
    # no run.
    environment: EnvironmentOptions
    # One or several suites (see moravec list) or level sources, in a two-player game opponents;
    # boxes are the suites boxes_1 to boxes_7 together. By default those of the run's experiment.
    suite: tuple[str, ...] = ()
    # How often the policy sees the first observation before it acts on it; several to compare.
    thinking_steps: tuple[int, ...] = (0,)
    # The first so many levels of each suite, in file order; 0 for all of them.
    episodes: int = 0
    # Before every move, search by so many simulations, with the network of the run as prior and
    # value; 0 for none. By itself, mcts takes 200.
    simulations: int = 0
    # A run that has learnt a model of the environment, to search with in place of the rules.
    model: Path | None = None
    # Decides what is random in policy or environment.
    seed: int = 0
    # Print one JSON document on standard output, and nothing else there.
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False

    def __post_init__(self):
        for name, values in (
            ("episodes", (self.episodes,)),
            ("simulations", (self.simulations,)),
            ("seed", (self.seed,)),
            ("thinking-steps", self.thinking_steps),
        ):
            if not values:
                raise UserError(f"--{name} needs at least one number")
            given = " ".join(map(str, values))
            if not 0 <= min(values) <= max(values) < 2**32:
                raise UserError(f"--{name} must be from 0 to {2**32 - 1}, not {given}")
        if self.model is not None and not _simulations(self):
            raise UserError("--model is what a search imagines with: give --simulations too")
        if self.simulations and self.run in BASELINES:
            raise UserError(f"--simulations is for a run, or mcts; {self.run} does not search")


def main(args: list[str]) -> int:
    """Runs `moravec evaluate ARGS`. A user's mistake raises UserError."""
    arguments = parse(args)
    arguments = dataclasses.replace(
        arguments,
        suite=tuple(dict.fromkeys(expand(arguments.suite))),
        simulations=_simulations(arguments),
    )
    evaluate, suites = _evaluator(arguments)
    results = list(_results(arguments, evaluate, arguments.suite or suites))
    if arguments.json:
        print(json.dumps([dataclasses.asdict(result) for result in results], indent=2))
    else:
        from launch import evaluation_table

        evaluation_table.show(results)
    return 0


def parse(args: list[str]) -> Arguments:
    """What the arguments ask for. Raises UserError, or exits with 2, if they are wrong."""
    run, options, rest = player_of(args, _BASELINES)
    default = Arguments(run, options)
    rest = joined(rest, default)
    return tyro.cli(Arguments, prog="moravec evaluate", args=rest, default=default)


def _simulations(arguments: Arguments) -> int:
    """How many before every move."""
    by_itself = _SIMULATIONS if arguments.run == "mcts" else 0
    return arguments.simulations or by_itself


def _evaluator(arguments: Arguments) -> "tuple[Evaluator, tuple[str, ...]]":
    """What plays one suite, and the suites that the run's experiment evaluates on."""
    if arguments.run in _BASELINES:
        return _baseline(arguments)
    from launch.evaluation import Contestant, evaluate
    from launch.policy import load_policy
    from launch.suite_options import in_batch, suites_of
    from launch.world_evaluation import evaluate_policy

    policy = load_policy(arguments.run)
    suites = suites_of(policy.experiment, arguments.environment)
    experiment = dataclasses.replace(policy.experiment, environment=arguments.environment)
    policy = dataclasses.replace(policy, experiment=experiment)
    run = str(Path(arguments.run))
    if arguments.simulations:
        from launch.search import search_of

        return partial(
            evaluate, search_of(run, policy, arguments.simulations, arguments.model)
        ), suites
    contestant = Contestant(
        run=run,
        frames=policy.frames,
        agent=policy.agent,
        params=policy.params,
        options=experiment.environment,
        spec=policy.spec,
    )

    def play(suite: str, *, thinking_steps: int, **rest: Any) -> "Result":
        if in_batch(experiment.environment, suite):
            return evaluate(contestant, suite, thinking_steps=thinking_steps, **rest)
        return evaluate_policy(run, policy, suite, thinking_steps=thinking_steps, **rest)

    return play, suites or _own(experiment.environment)


def _own(options: EnvironmentOptions) -> tuple[str, ...]:
    """The suite of a run that has none: as it is, but for a batched game that has level sets."""
    from launch.suite_options import has_level_sets, in_batch

    return () if has_level_sets(options) and in_batch(options, "") else ("",)


def _baseline(arguments: Arguments) -> "tuple[Evaluator, tuple[str, ...]]":
    options = arguments.environment
    levels = getattr(options, "levels", "")
    if levels and levels == getattr(type(options), "levels", "") and not arguments.suite:
        raise UserError(f"give --suite: {arguments.run} has no suites of its own")
    suites = arguments.suite or (levels,)
    if arguments.run == "mcts":
        from launch.evaluation import evaluate
        from launch.search import search_baseline

        baseline = search_baseline(options, suites[0], arguments.simulations, arguments.model)
        return partial(evaluate, baseline), suites
    from launch.suite_options import in_batch

    if arguments.run == "random" and all(in_batch(options, suite) for suite in suites):
        from launch.evaluation import evaluate, random_contestant

        return partial(evaluate, random_contestant(options, suites[0])), suites
    from launch import baselines
    from launch.world_evaluation import Entrant, evaluate_worlds

    makers = {
        "random": lambda environment, seed: baselines.random_policy(
            environment.action_spec(), seed
        ),
        "scripted": lambda environment, seed: baselines.scripted_policy(environment),
        "solver": lambda environment, seed: baselines.solver_policy(environment),
    }
    entrant = Entrant(arguments.run, 0, makers[arguments.run])
    return partial(evaluate_worlds, entrant, options), suites


def _results(
    arguments: Arguments, evaluate: "Evaluator", suites: tuple[str, ...]
) -> "Iterator[Result]":
    if not suites:
        raise UserError("give --suite: this run's experiment names none")
    for suite in suites:
        for thinking_steps in arguments.thinking_steps:
            print(
                f"playing {suite or 'as it is'}, {thinking_steps} thinking steps", file=sys.stderr
            )
            result = evaluate(
                suite,
                episodes=arguments.episodes,
                thinking_steps=thinking_steps,
                seed=arguments.seed,
                report=now_and_then(_say_played, _REPORT_SECONDS),
            )
            if _is_of_the_run(arguments):
                _keep(result)
            yield result


def _is_of_the_run(arguments: Arguments) -> bool:
    """Whether results belong into a run folder: a run's, in its own environment."""
    if arguments.run in _BASELINES or is_pretrained(arguments.run):
        return False
    return arguments.environment == own_environment(arguments.run)


def _say_played(played: int) -> None:
    print(f"  {played} played", file=sys.stderr)


def _keep(result: "Result") -> None:
    """Writes the result into the run folder; says it if that cannot be done."""
    from launch import results, run_folder

    try:
        results.keep(result, run_folder.RunFolder(Path(result.run)).evaluation)
    except UserError as error:
        print(f"not kept: {error}", file=sys.stderr)
