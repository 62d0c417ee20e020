"""Learning curves: the seeds of one label together, with a bootstrap interval.

With four seeds or more the middle is the interquartile mean, with fewer the mean; the interval is
the percentile bootstrap over seeds (Agarwal et al. 2021, *Deep Reinforcement Learning at the Edge
of the Statistical Precipice*; each curve is one task, so that there is one stratum).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from environments.registry import entry, name_of
from launch.columns import column_name
from launch.report.runs import Run, frames_of

_RESAMPLES = 1000
_SEEDS_OF_IQM = 4  # fewer leave no quarter to cut off
_POINTS = 400  # of a curve at most: more are not seen


@dataclass(frozen=True)
class Curve:
    """All seeds of one label in training, as far as all of them have come."""

    label: str
    seeds: int
    frames: np.ndarray  # [X] those of the runs that they began with counted in
    mean: np.ndarray  # [X]
    lowest: np.ndarray  # [X]
    highest: np.ndarray  # [X]
    statistic: str  # what `middle` is: mean, interquartile mean
    middle: np.ndarray  # [X]
    ci95: np.ndarray  # [2, X] bootstrap interval of it; of one seed, nothing but that seed


def column_of(runs: Sequence[Run]) -> str:
    """What the runs are compared by: a suite on which all are evaluated as they train; else what
    they reach in training, which of games with a score is their return."""
    suites = [suite for run in runs[:1] for suite in run.experiment.evaluation.suites]
    for suite in suites:
        column = column_name(suite)
        if all(sum(column in row for row in run.rows) >= 3 for run in runs):
            return column
    scored = any("scored" in entry(name_of(run.experiment.environment)).tags for run in runs)
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
        frames = np.array([frames_of(row, column) + run.before for row in rows])
        points.append((frames, np.array([row[column] for row in rows])))
    begin, end = max(x[0] for x, _ in points), min(x[-1] for x, _ in points)
    frames = np.unique(np.concatenate([x for x, _ in points]))
    frames = frames[(begin <= frames) & (frames <= end)]
    if len(frames) > _POINTS:
        frames = frames[np.linspace(0, len(frames) - 1, _POINTS).round().astype(int)]
    values = np.stack([np.interp(frames, x, y) for x, y in points])
    name, statistic = statistic_of(len(group))
    return Curve(
        label=label,
        seeds=len(group),
        frames=frames,
        mean=values.mean(0),
        lowest=values.min(0),
        highest=values.max(0),
        statistic=name,
        middle=statistic(values),
        ci95=bootstrap(values, statistic),
    )


def statistic_of(seeds: int) -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
    """Name and function, `[seeds, ...] -> [...]`, of what is drawn of so many seeds."""
    if seeds < _SEEDS_OF_IQM:
        return "mean", lambda values: values.mean(0)
    return "interquartile mean", lambda values: stats.trim_mean(values, 0.25, axis=0)


def bootstrap(values: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The 95 % percentile interval, `[2, X]`, of a statistic of `values [seeds, X]`.

    Whole seeds are drawn with replacement, always the same ones.
    """
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(values), size=(_RESAMPLES, len(values)))
    return np.quantile([statistic(values[chosen]) for chosen in drawn], (0.025, 0.975), axis=0)
