"""Evaluation on suites, greedily, with Wilson's interval: every level once, or so many games."""

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from agents.base import Agent, Params
from agents.random.agent import make as random_agent
from environments.base import BatchedEnvironment, EnvironmentSpec
from environments.registry import EnvironmentOptions, build_batched, entry, name_of
from experiments.base import Experiment
from launch.assessment import assess, metric_names
from launch.columns import column_name
from launch.optimality import optimality_of
from launch.planning import planning
from launch.policy import check_fits
from launch.rollouts import Episodes, play
from launch.suite_options import has_level_sets, on_boards_of
from launch.suite_options import on_suite as options_on_suite

GAMES = 200  # episodes of a game without level sets, if none are asked for


@dataclass(frozen=True)
class Result:
    """How one policy did on one suite; the keys of `moravec evaluate --json`."""

    run: str
    frames: int
    environment: str
    environment_version: int
    options: dict[str, Any]
    suite: str
    seed: int
    thinking_steps: int
    episodes: int
    outcomes: dict[str, int]
    rate: float  # of the first outcome
    ci95: tuple[float, float]  # Wilson's interval of the rate
    mean_return: float
    mean_length: float
    metrics: dict[str, float]


@dataclass(frozen=True)
class Contestant:
    """Who plays: a policy, and the environment that it plays in."""

    run: str  # the run folder, or the name of a baseline
    frames: int  # learnt from
    agent: Agent
    params: Params
    options: EnvironmentOptions
    spec: EnvironmentSpec


def random_contestant(options: EnvironmentOptions, suite: str) -> Contestant:
    """The baseline that draws every action uniformly; on boards of the size that `options` have.

    If they have none, on boards of the size of `suite`'s.
    """
    options = options_on_suite(options, suite)
    spec = build_batched(options).spec
    return Contestant("random", 0, random_agent(spec), (), options, spec)


def evaluate(
    contestant: Contestant,
    suite: str,
    *,
    episodes: int = 0,
    thinking_steps: int = 0,
    seed: int = 0,
    report: Callable[[int], None] = lambda played: None,
) -> Result:
    """Plays the first `episodes` levels of `suite`, or all of them if it is 0.

    In a two-player game a suite is an opponent; "" is the environment as it is. Of a game
    without level sets any number of episodes may be asked for; by default it is 200.
    """
    spec = contestant.spec
    options, environment = on_suite(contestant.options, spec, suite)
    check_fits(spec, environment.spec)
    episodes = episodes_on(options, environment, episodes)
    played = play(
        contestant.agent,
        contestant.params,
        environment,
        episodes=episodes,
        thinking_steps=thinking_steps,
        seed=seed,
        report=report,
    )
    result = summary(
        played,
        spec.outcomes,
        options,
        run=contestant.run,
        frames=contestant.frames,
        suite=suite,
        seed=seed,
        thinking_steps=thinking_steps,
    )
    metrics = (
        result.metrics
        | optimality_of(environment, played)
        | planning(played, contestant.agent.model_steps, thinking_steps)
        | assess(contestant.agent, contestant.params, environment, episodes=episodes, seed=seed)
    )
    return replace(result, metrics=metrics)


def summary(
    played: Episodes,
    names: tuple[str, ...],
    options: EnvironmentOptions,
    *,
    run: str,
    frames: int,
    suite: str,
    seed: int,
    thinking_steps: int,
) -> Result:
    """The result of at least one episode; `names` are those of the outcomes, success first."""
    counts = counted(played, names)
    episodes, successes = len(played.outcome), counts[names[0]]
    name = name_of(options)
    return Result(
        run=run,
        frames=frames,
        environment=name,
        environment_version=entry(name).version,
        options=asdict(options),
        suite=suite,
        seed=seed,
        thinking_steps=thinking_steps,
        episodes=episodes,
        outcomes=counts,
        rate=successes / episodes,
        ci95=wilson(successes, episodes),
        mean_return=float(played.episode_return.mean()),
        mean_length=float(played.length.mean()),
        metrics=_metrics(played),
    )


def counted(played: Episodes, names: tuple[str, ...]) -> dict[str, int]:
    """How many episodes ended in each way."""
    return {name: int((played.outcome == index).sum()) for index, name in enumerate(names)}


def on_suite(
    options: EnvironmentOptions, spec: EnvironmentSpec, suite: str
) -> tuple[EnvironmentOptions, BatchedEnvironment]:
    """The environment over `suite`; of Sokoban, on boards of the size that `options` have.

    If they have none, on boards of the size that `spec` shows. Levels that are larger are left out,
    with a warning. Raises UserError if the game has no such suite, or all its levels are larger.
    """
    options = on_boards_of(options_on_suite(options, suite), spec)
    return options, build_batched(options)


def episodes_on(options: EnvironmentOptions, environment: BatchedEnvironment, asked: int) -> int:
    """How many episodes are played if `asked` are: at most one for each level of a level set."""
    if not has_level_sets(options):
        return asked or GAMES
    return min(asked or environment.num_levels, environment.num_levels)


def columns_of(suite: str, outcomes: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of one suite among the metrics of a run: see `rates_of`."""
    column = column_name(suite)
    if "survived" in outcomes:  # which is seldom the aim: what counts is the score
        return column, f"{column}/score"
    return (column, f"{column}/not_lost") if "draw" in outcomes else (column,)


def rates_of(suite: str, outcomes: dict[str, int], mean_return: float) -> dict[str, float]:
    """Their values: the share of successes; where games can be drawn, that of draws with it.

    `outcomes` counts episodes by how they ended, success first. Of a game that is played for its
    score, the mean return is told too.
    """
    columns, counts = columns_of(suite, tuple(outcomes)), list(outcomes.values())
    successes, total = counts[0], sum(counts)
    better = successes + outcomes.get("draw", 0)
    second = mean_return if columns[-1].endswith("/score") else better / total
    return dict(zip(columns, (successes / total, second), strict=False))


def assessed(suite: str, metrics: Iterable[str]) -> tuple[str, ...]:
    """The columns of what `Agent.assess` finds on a suite."""
    return tuple(f"assessment/{suite or 'own'}/{name}" for name in metrics)


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % score interval of a rate (Wilson 1927)."""
    z = 1.959963984540054
    rate, spread = successes / trials, z * z / trials
    centre = rate + spread / 2
    half = z * math.sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
    # Rounding must not take the interval beyond 0, 1 or the rate.
    return min(max(low, 0.0), rate), max(min(high, 1.0), rate)


def _metrics(played: Episodes) -> dict[str, float]:
    solved = played.outcome == 0
    return {"mean_length_solved": float(played.length[solved].mean())} if solved.any() else {}


class Suites:
    """The evaluations of one training run, their environments built once."""

    def __init__(self, experiment: Experiment, agent: Agent, spec: EnvironmentSpec):
        """Raises UserError if a suite does not fit the environment."""
        evaluation, options = experiment.evaluation, experiment.environment
        self._evaluation, self._agent, self._outcomes = evaluation, agent, spec.outcomes
        self._seed = experiment.seed
        found = {suite: on_suite(options, spec, suite) for suite in evaluation.suites}
        self._environments = {suite: environment for suite, (_, environment) in found.items()}
        self._episodes = {
            suite: episodes_on(*pair, evaluation.episodes) for suite, pair in found.items()
        }
        columns = [columns_of(suite, spec.outcomes) for suite in evaluation.suites]
        columns += [
            assessed(suite, metric_names(agent, environment))
            for suite, environment in self._environments.items()
        ]
        self.columns = tuple(column for each in columns for column in each)

    def due(self, before: int, after: int) -> bool:
        """Whether an evaluation lies between two counts of frames."""
        return self._evaluation.due(before, after)

    def evaluate(
        self,
        params: Params,
        say: Callable[[str], None],
        check: Callable[[], None] = lambda: None,
    ) -> dict[str, float]:
        """The rates of each suite, by column.

        Args:
          params: of the policy.
          say: told how far it is.
          check: called after every batch of games; what it raises ends the evaluation.
        """
        rates = {}
        for suite, environment in self._environments.items():
            episodes = self._episodes[suite]
            column = columns_of(suite, self._outcomes)[0]
            title = f"{column}, {episodes} episodes"
            check()
            say(title)

            def report(played: int, title: str = title) -> None:
                check()
                say(f"{title}: {played} played")

            played = play(
                self._agent,
                params,
                environment,
                episodes=episodes,
                seed=self._seed,
                report=report,
            )
            counts, score = counted(played, self._outcomes), float(played.episode_return.mean())
            rates |= rates_of(suite, counts, score)
            metrics = assess(self._agent, params, environment, episodes=episodes, seed=self._seed)
            rates |= dict(zip(assessed(suite, metrics), metrics.values(), strict=True))
        return rates


class _Stopped(Exception):
    """Somebody asked to stop."""


def rates_unless(
    stopped: Callable[[], bool], evaluate: Callable[[Callable[[], None]], dict[str, float]]
) -> dict[str, float] | None:
    """What `evaluate` gives; None if its argument, called now and then, found `stopped()`."""

    def check() -> None:
        if stopped():
            raise _Stopped

    try:
        return evaluate(check)
    except _Stopped:
        return None
