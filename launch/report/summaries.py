"""Runs of one label together: the mean over seeds, its spread, and what planning cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from launch.report.runs import Evaluated, Run, column_name


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


@dataclass(frozen=True)
class Curve:
    """All seeds of one label in training, as far as all of them have come."""

    label: str
    seeds: int
    frames: np.ndarray  # [X] those of the runs that they began with counted in
    mean: np.ndarray  # [X]
    lowest: np.ndarray  # [X]
    highest: np.ndarray  # [X]


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
        model_steps_per_solved=_mean(
            [each.metrics.get("model_steps_per_solved") for each in group]
        ),
        model_steps_solved=_mean([each.metrics.get("model_steps_solved") for each in group]),
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


def column_of(runs: Sequence[Run]) -> str:
    """What the runs are compared by: a suite on which all are evaluated as they train; else what
    they reach in training, which of games with a score is their return."""
    suites = [suite for run in runs[:1] for suite in run.experiment.evaluation.suites]
    for suite in suites:
        column = column_name(suite)
        if all(sum(column in row for row in run.rows) >= 3 for run in runs):
            return column
    scored = any("mode" in vars(run.experiment.environment) for run in runs)
    return "episode_return" if scored else "success_rate"


def curves(runs: Iterable[Run], column: str) -> list[Curve]:
    """The curves of one column of metrics; none of a label without rows."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        if any(column in row for row in run.rows):
            groups.setdefault(run.label, []).append(run)
    found = (_curve(label, group, column) for label, group in groups.items())
    return [curve for curve in found if len(curve.frames)]


def _curve(label: str, group: Sequence[Run], column: str) -> Curve:
    points = []
    for run in group:
        rows = [row for row in run.rows if column in row]
        frames = np.array([row["frames"] + run.before for row in rows])
        points.append((frames, np.array([row[column] for row in rows])))
    begin, end = max(x[0] for x, _ in points), min(x[-1] for x, _ in points)
    frames = np.unique(np.concatenate([x for x, _ in points]))
    frames = frames[(begin <= frames) & (frames <= end)]
    values = np.stack([np.interp(frames, x, y) for x, y in points])
    return Curve(label, len(group), frames, values.mean(0), values.min(0), values.max(0))
