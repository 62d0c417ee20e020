"""The picture of a report: solve rate or score against frames."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from launch import files
from launch.report.summaries import Curve

mpl.use("Agg")  # no screen
import matplotlib.pyplot as plt


def plot(curves: Sequence[Curve], column: str, path: Path) -> None:
    """Writes a PNG: the mean over seeds, shaded from the worst to the best of them."""
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for curve in curves:
        seeds = f"{curve.seeds} seeds" if curve.seeds > 1 else "1 seed"
        marker = "." if len(curve.frames) < 20 else ""
        (line,) = axes.plot(
            curve.frames, curve.mean, marker=marker, label=f"{curve.label}, {seeds}"
        )
        axes.fill_between(
            curve.frames, curve.lowest, curve.highest, color=line.get_color(), alpha=0.2, lw=0
        )
    axes.set_xlabel("frames, those of prerequisites counted in")
    axes.set_ylabel(_spelt(column))
    axes.set_xlim(left=0)
    if column != "episode_return":
        axes.set_ylim(0, 1)
    axes.grid(alpha=0.3)
    if curves:
        axes.legend(loc="best", frameon=False)
    axes.set_title("mean over seeds, shaded from the worst to the best", fontsize="medium")
    temporary = files.unfinished(path)
    with files.writing(path):
        figure.savefig(temporary, format="png", dpi=120)
        temporary.replace(path)
    plt.close(figure)


def _spelt(column: str) -> str:
    if column.startswith("evaluation/"):
        return f"success rate on {column.removeprefix('evaluation/')}, greedy"
    if column == "episode_return":
        return "mean return of an episode in training"
    return "success rate in training, actions drawn"
