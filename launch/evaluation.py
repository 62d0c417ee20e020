"""Evaluation on suites, greedily, with Wilson's interval: every level once, or so many games."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from agents.base import Agent, Params
from agents.random.agent import make as random_agent
from environments.base import BatchedEnvironment, EnvironmentSpec
from environments.registry import EnvironmentOptions, build_batched, entry, name_of
from experiments.base import Experiment
from launch.assessment import assess, metric_names
from launch.columns import assessed, column_name, columns_of
from launch.optimality import optimality_of
from launch.planning import planning
from launch.policy import check_fits
from launch.results import Result, wilson
from launch.rollouts import Episodes, play
from launch.suite_options import has_level_sets, on_boards_of
from launch.suite_options import on_suite as options_on_suite

GAMES = 200  # episodes of a game without level sets, if none are asked for


@dataclass(frozen=True)
class Contestant:
    """Who plays: a policy, and the environment that it plays in."""

    run: str  # the run folder, or the name of a baseline
    frames: int  # learnt from
    agent: Agent
    params: Params
    options: EnvironmentOptions
    spec: EnvironmentSpec
    simulations: int = 0  # of a search before every move, and with whose model: see `Result`
    model: str = ""
    model_frames: int = 0


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
    return replace(
        result,
        metrics=metrics,
        simulations=contestant.simulations,
        model=contestant.model,
        model_frames=contestant.model_frames,
    )


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
        self._suites = {suite: on_suite(options, spec, suite) for suite in evaluation.suites}
        columns = [columns_of(suite, spec.outcomes) for suite in evaluation.suites]
        columns += [
            assessed(suite, metric_names(agent, environment))
            for suite, (_, environment) in self._suites.items()
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
    ) -> list[Result]:
        """One result for each suite: what `moravec evaluate` finds with this policy, but for how
        near it comes to the fewest moves, which takes a solver. `run` and `frames` are left empty.

        Args:
          params: of the policy.
          say: told how far it is.
          check: called after every batch of games; what it raises ends the evaluation.
        """
        agent, results = self._agent, []
        for suite, (options, environment) in self._suites.items():
            episodes = episodes_on(options, environment, self._evaluation.episodes)
            title = f"{column_name(suite)}, {episodes} episodes"
            check()
            say(title)

            def report(played: int, title: str = title) -> None:
                check()
                say(f"{title}: {played} played")

            played = play(
                agent, params, environment, episodes=episodes, seed=self._seed, report=report
            )
            result = summary(
                *(played, self._outcomes, options),
                run="",
                frames=0,
                suite=suite,
                seed=self._seed,
                thinking_steps=0,
            )
            metrics = planning(played, agent.model_steps) | assess(
                agent, params, environment, episodes=episodes, seed=self._seed
            )
            results.append(replace(result, metrics=result.metrics | metrics))
        return results


class _Stopped(Exception):
    """Somebody asked to stop."""


def results_unless(
    stopped: Callable[[], bool], evaluate: Callable[[Callable[[], None]], list[Result]]
) -> list[Result] | None:
    """Returns what `evaluate(check)` returns, or None if `check`, which it calls now and then,
    found `stopped()`."""

    def check() -> None:
        if stopped():
            raise _Stopped

    try:
        return evaluate(check)
    except _Stopped:
        return None
