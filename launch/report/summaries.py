"""Evaluations of one label together: the mean over seeds, its spread, and what planning cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from launch.report.runs import Evaluated


@dataclass(frozen=True)
class Summary:
    """All seeds of one label on one suite."""

    label: str
    suite: str
    thinking_steps: int
    simulations: int
    seeds: int
    frames: int  # the fewest of all seeds
    rate: float  # mean over seeds
    ci95: tuple[float, float]  # of that mean; of one seed, that of its levels
    lowest: float  # seed
    highest: float
    mean_return: float | None  # mean over seeds; None if only rates are known
    outcomes: dict[str, float]  # the share of each, mean over seeds; empty if only rates are known
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


def summaries(results: Iterable[Evaluated]) -> list[Summary]:
    """One for each label, suite, number of thinking steps and of simulations, in that order."""
    groups: dict[tuple, list[Evaluated]] = {}
    for result in results:
        kind = result.suite, result.label, result.thinking_steps, result.simulations
        groups.setdefault(kind, []).append(result)
    return [_summary(group) for _, group in sorted(groups.items())]


def _summary(group: Sequence[Evaluated]) -> Summary:
    first, rates = group[0], np.array([result.rate for result in group])
    return Summary(
        label=first.label,
        suite=first.suite,
        thinking_steps=first.thinking_steps,
        simulations=first.simulations,
        seeds=len(group),
        frames=min(result.frames for result in group),
        rate=float(rates.mean()),
        ci95=first.ci95 if len(group) == 1 else mean_interval(rates),
        lowest=float(rates.min()),
        highest=float(rates.max()),
        mean_return=_mean([each.mean_return for each in group]),
        outcomes=_shares([each for each in group if each.outcomes]),
        **{name: _mean([each.metrics.get(name) for each in group]) for name in _METRICS},
    )


def _shares(group: Sequence[Evaluated]) -> dict[str, float]:
    """Of each outcome; the group's all have the same."""
    return {
        name: float(np.mean([each.outcomes[name] / each.episodes for each in group]))
        for each in group[:1]
        for name in each.outcomes
    }


def _mean(values: Iterable[float | None]) -> float | None:
    """Of those that are known."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def mean_interval(rates: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of at least two seeds' rates (Student's t), within 0 and 1.

    Seeds count as independent draws; the levels, which are the same for all, as given.
    """
    half = stats.t.ppf(0.975, len(rates) - 1) * rates.std(ddof=1) / np.sqrt(len(rates))
    return max(0.0, float(rates.mean() - half)), min(1.0, float(rates.mean() + half))
