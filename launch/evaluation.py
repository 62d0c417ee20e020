"""Evaluation on suites: every level once, greedily, with Wilson's interval."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from agents.base import Agent, Params
from agents.random.agent import make as random_agent
from environments.base import BatchedEnvironment, EnvironmentSpec
from environments.errors import UserError
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.spec import board_of
from environments.registry import EnvironmentOptions, build_batched, entry, name_of
from experiments import suites
from experiments.base import Evaluation
from launch.optimality import optimality_of
from launch.planning import planning
from launch.rollouts import Episodes, play


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
    """The baseline that draws every action uniformly, on boards of the size of `suite`'s."""
    options = replace(_with_levels(options, suite), board=(0, 0))
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
    """Plays the first `episodes` levels of `suite`, or all of them if it is 0."""
    spec = contestant.spec
    options, environment = on_suite(contestant.options, spec, suite)
    total = environment.num_levels
    episodes = min(episodes or total, total)
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
    planned = planning(played, contestant.agent.model_steps, thinking_steps)
    return replace(result, metrics=result.metrics | optimality_of(environment, played) | planned)


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
    counts = {name: int((played.outcome == index).sum()) for index, name in enumerate(names)}
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


def on_suite(
    options: EnvironmentOptions, spec: EnvironmentSpec, suite: str
) -> tuple[EnvironmentOptions, BatchedEnvironment]:
    """The environment over the levels of `suite`, on boards of the size that `spec` shows.

    Raises UserError if the game has no levels, or the suite's are larger than the boards.
    """
    options = replace(_with_levels(options, suite), board=board_of(spec))
    return options, build_batched(options)


def _with_levels(options: EnvironmentOptions, suite: str) -> SokobanOptions:
    if not isinstance(options, SokobanOptions):
        raise UserError(f"{name_of(options)} has no level sets: leave --suite out")
    return replace(options, levels=suites.levels_of(suite))


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

    def __init__(
        self,
        evaluation: Evaluation,
        options: EnvironmentOptions,
        agent: Agent,
        spec: EnvironmentSpec,
    ):
        self._evaluation, self._agent = evaluation, agent
        self._environments = {
            suite: on_suite(options, spec, suite)[1] for suite in evaluation.suites
        }
        self.columns = tuple(f"evaluation/{suite}" for suite in evaluation.suites)

    def due(self, before: int, after: int) -> bool:
        """Whether an evaluation lies between two counts of frames."""
        return self._evaluation.due(before, after)

    def evaluate(self, params: Params, say: Callable[[str], None]) -> dict[str, float]:
        """The success rate on each suite, by column; `say` is told how far it is."""
        rates = {}
        for column, environment in zip(self.columns, self._environments.values(), strict=True):
            total = environment.num_levels
            episodes = min(self._evaluation.episodes or total, total)
            title = f"{column}, {episodes} levels"
            say(title)
            played = play(
                self._agent,
                params,
                environment,
                episodes=episodes,
                report=lambda played, title=title: say(f"{title}: {played} played"),
            )
            rates[column] = float((played.outcome == 0).mean())
        return rates
