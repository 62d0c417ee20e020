"""The pictures of a report, as PNG: for a light page and for a dark one."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np

from launch.report.curves import Curve
from launch.report.runs import Run
from launch.report.summaries import Summary
from launch.report.tables import by_thinking

mpl.use("Agg")  # no screen
import matplotlib.pyplot as plt

_SIZE = (6.4, 4.2)  # inches: text is still legible at the width of a telephone
_DPI = 150
_DARK = {
    "figure.facecolor": "#16181d",
    "axes.facecolor": "#16181d",
    "text.color": "#e6e6e6",
    "axes.labelcolor": "#e6e6e6",
    "axes.edgecolor": "#8a8f98",
    "xtick.color": "#c8ccd2",
    "ytick.color": "#c8ccd2",
}
_LIGHT = {"figure.facecolor": "#ffffff"}
_STYLES = ("-", "--", ":")
_BROAD = 30  # times as much as the least: more is not seen on a linear axis


@dataclass(frozen=True)
class Picture:
    """One plot, twice."""

    light: bytes  # PNG
    dark: bytes
    says: str  # what is drawn, for who cannot see it too


def learning(curves: Sequence[Curve], column: str) -> Picture:
    """The middle over seeds, shaded its 95 % bootstrap interval."""

    def draw(axes: Any) -> None:
        for curve, color in zip(curves, _colors(len(curves)), strict=True):
            marker = "." if len(curve.frames) < 20 else ""
            name = f"{curve.label}, {seeds_of(curve.seeds)}"
            axes.plot(curve.frames, curve.middle, marker=marker, color=color, label=name)
            axes.fill_between(curve.frames, *curve.ci95, color=color, alpha=0.2, lw=0)
        axes.set_xlabel("frames, with those of the runs that it began with")
        axes.set_ylabel(column_title(column).replace(", ", ",\n"))
        if column != "episode_return":
            axes.set_ylim(0, 1)

    return _picture(draw, f"Learning curves: {column_title(column)}. {drawn(curves)}")


def drawn(curves: Sequence[Curve]) -> str:
    """What the lines and the shades of learning curves are, in a sentence or two."""
    several = {curve.statistic: curve.seeds for curve in curves if curve.seeds > 1}
    if not several:
        return "One seed each: there is no interval."
    names = " or, of four seeds and more, ".join(sorted(several, key=len))
    return (
        f"Lines are the {names} over seeds; shaded is its 95 % bootstrap interval, "
        "which of two or three seeds is too narrow, and has no width where seeds agree."
    )


def thinking(suite: str, found: Sequence[Summary]) -> Picture:
    """Success against thinking steps."""
    several = by_thinking(found)

    def draw(axes: Any) -> None:
        for (label, group), color in zip(several.items(), _colors(len(several)), strict=True):
            steps = [each.thinking_steps for each in group]
            rates = np.array([each.rate for each in group])
            ends = np.array([each.ci95 for each in group]).T
            errors = np.abs(ends - rates)
            axes.errorbar(steps, rates, errors, marker="o", capsize=3, color=color, label=label)
        axes.set_xlabel("thinking steps before the first action")
        axes.set_ylabel("success rate, greedy")
        axes.set_ylim(0, 1)
        axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))  # pyright: ignore[reportAttributeAccessIssue]

    return _picture(draw, f"Success by thinking steps: {suite}")


def over_training(
    runs: Sequence[Run], columns: Mapping[str, str], title: str, label: str
) -> Picture | None:
    """Columns of metrics, `{column: what a line of it is called}`, each run its line; None if no
    run has them."""
    having = [run for run in runs if any(name in row for row in run.rows for name in columns)]
    if not having:
        return None
    labels = list(dict.fromkeys(run.label for run in having))
    colors = dict(zip(labels, _colors(len(labels)), strict=True))

    def draw(axes: Any) -> None:
        named = set()
        for run in having:
            for (column, called), style in zip(columns.items(), _STYLES, strict=False):
                rows = [row for row in run.rows if column in row]
                name = f"{run.label}, {called}" if called else run.label
                axes.plot(
                    [row["frames"] + run.before for row in rows],
                    [row[column] for row in rows],
                    color=colors[run.label],
                    ls=style,
                    marker="." if len(rows) < 20 else "",
                    label="_" if name in named else name,
                )
                named.add(name)
        axes.set_xlabel("frames, with those of the runs that it began with")
        axes.set_ylabel(label)
        values = [
            row[name] for run in having for row in run.rows for name in columns if name in row
        ]
        if min(values) > 0 and max(values) > _BROAD * min(values):
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(_plain_numbers())
            axes.yaxis.set_minor_formatter(mpl.ticker.NullFormatter())  # pyright: ignore[reportAttributeAccessIssue]
        else:
            axes.set_ylim(bottom=0)

    return _picture(draw, title)


def _picture(draw: Callable[[Any], None], says: str) -> Picture:
    return Picture(_png(draw, _LIGHT), _png(draw, _DARK), says)


def _png(draw: Callable[[Any], None], style: Mapping[str, str]) -> bytes:
    with mpl.rc_context({"font.size": 11, "text.parse_math": False, **style}):  # pyright: ignore[reportArgumentType]
        figure, axes = plt.subplots(figsize=_SIZE, layout="constrained")
        draw(axes)
        if not axes.get_xlabel().startswith("thinking"):
            axes.set_xlim(left=0)
            axes.xaxis.set_major_formatter(_plain_numbers())
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        names = axes.get_legend_handles_labels()[1]
        if names:
            columns = 2 if max(map(len, names)) < 30 and len(names) > 1 else 1
            figure.legend(loc="outside lower center", ncols=columns, frameon=False, fontsize=10)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI)
        plt.close(figure)
    return buffer.getvalue()


def _plain_numbers() -> Any:
    """Labels of an axis such as 500k; without formulas, as any text here."""
    return mpl.ticker.EngFormatter(sep="")  # pyright: ignore[reportAttributeAccessIssue]


def _colors(number: int) -> list[Any]:
    name, most = ("tab10", 10) if number <= 10 else ("tab20", 20)
    return [plt.get_cmap(name)(index % most) for index in range(number)]


def seeds_of(number: int) -> str:
    """How many seeds."""
    return f"{number} seeds" if number > 1 else "1 seed"


def column_title(column: str) -> str:
    """What a column of metrics holds."""
    if column.startswith("evaluation/"):
        return f"success rate on {column.removeprefix('evaluation/')}, greedy"
    if column == "episode_return":
        return "mean return of an episode in training"
    return "success rate in training, actions drawn"
