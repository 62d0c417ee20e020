"""Evaluations of one label together: the mean over seeds, its spread, and what planning cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from launch.report.evaluations import Evaluated, kind_of
from launch.report.runs import home, tails
from launch.results import wilson


@dataclass(frozen=True)
class Summary:
    """All seeds of one label on one suite."""

    label: str
    environment: str
    environment_version: int
    suite: str
    evaluation_seed: int
    thinking_steps: int
    simulations: int
    model: str  # that a search imagined with, by a name that tells it apart; "" for the rules
    seeds: int  # of training
    frames: int  # the fewest of all seeds
    episodes: int  # played with each seed; the fewest
    rate: float  # mean over seeds
    ci95: tuple[float, float]  # of that mean: see `interval`
    lowest: float  # seed
    highest: float
    mean_return: float  # mean over seeds
    outcomes: dict[str, float]  # the share of each, mean over seeds
    model_steps_per_solved: float | None  # mean over seeds that solved any level
    model_steps_solved: float | None
    optimality_gap: float | None  # steps beyond the fewest, of solved levels; mean over seeds
    optimal_share: float | None
    optimum_unknown: float | None  # levels that are left out of both


_METRICS = (
    "model_steps_per_solved",
    "model_steps_solved",
    "optimality_gap",
    "optimal_share",
    "optimum_unknown",
)


def summaries(evaluated: Iterable[Evaluated]) -> list[Summary]:
    """One for each label and kind of evaluation, in the order of suites and labels.

    Runs of one label are its seeds.
    """
    groups: dict[tuple, list[Evaluated]] = {}
    models = set()
    for evaluation in evaluated:
        model, result = _model(evaluation), evaluation.result
        models |= {model} if model else set()
        kind = (*kind_of(result)[:-1], str(model or ""))
        key = result.suite, evaluation.label, evaluation.source is None, kind
        groups.setdefault(key, []).append(evaluation)
    names = tails(models)
    return [_summary(groups[key], names) for key in sorted(groups)]


def _model(evaluated: Evaluated) -> Path | None:
    """The run whose model a search imagined with; one for all seeds of a sweep's variant."""
    model = evaluated.result.model
    return home(Path(model)) if model else None


def _summary(group: Sequence[Evaluated], models: Mapping[Path, str]) -> Summary:
    first, results = group[0].result, [each.result for each in group]
    model, rates = _model(group[0]), [result.rate for result in results]
    return Summary(
        label=group[0].label,
        environment=first.environment,
        environment_version=first.environment_version,
        suite=first.suite,
        evaluation_seed=first.seed,
        thinking_steps=first.thinking_steps,
        simulations=first.simulations,
        model=models[model] if model else "",
        seeds=len(group),
        frames=min(each.frames for each in group),
        episodes=min(result.episodes for result in results),
        rate=float(np.mean(rates)),
        ci95=interval(rates, [result.episodes for result in results]),
        lowest=min(rates),
        highest=max(rates),
        mean_return=float(np.mean([result.mean_return for result in results])),
        outcomes={
            name: float(np.mean([x.outcomes.get(name, 0) / x.episodes for x in results]))
            for name in first.outcomes
        },
        **{name: _mean([result.metrics.get(name) for result in results]) for name in _METRICS},
    )


def _mean(values: Iterable[float | None]) -> float | None:
    """Of those that are known."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def interval(rates: Sequence[float], episodes: Sequence[int]) -> tuple[float, float]:
    """The 95 % interval of the mean of seeds' rates, each of so many episodes.

    Of one seed Wilson's. Of several Student's, in which seeds count as independent draws; but
    never narrower than Wilson's of all their episodes together, for seeds may agree by chance.
    """
    mean, total = float(np.mean(rates)), sum(episodes)
    low, high = wilson(mean * total, total)
    if len(rates) == 1:
        return low, high
    half = stats.t.ppf(0.975, len(rates) - 1) * np.std(rates, ddof=1) / np.sqrt(len(rates))
    return max(0.0, min(low, float(mean - half))), min(1.0, max(high, float(mean + half)))
