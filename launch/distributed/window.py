"""What happened in training since the last row of metrics."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from environments.embedded.boards.registration import BoardOptions
from environments.registry import EnvironmentOptions
from launch.columns import EPISODE_COLUMNS
from launch.distributed.batches import Staleness
from launch.distributed.coordinator import ActorReport

_LAGS = 8  # versions that have a column of their own; what is older counts into the last

_HINT_COLUMNS = ("auxiliary_return", "hints_reached")  # where there are hints
_BOARD_COLUMNS = ("illegal_presses",)  # of an embedded board game
TIME_COLUMNS = ("seconds", "frames_per_second", "actor_frames_per_second")
ACTOR_COLUMNS = ("actor_frames", "actor_act", "actor_step", "actor_wait", "actor_write")
DATA_COLUMNS = (
    "version",
    "learner_wait",  # part of the time in which the learner waited for data
    "queue_items",
    "samples_per_insert",
    "dropped_items",
    "actors_replaced",
    "staleness/versions_mean",
    "staleness/versions_max",
    "staleness/seconds_median",
    "staleness/seconds_95",
    "staleness/seconds_max",
)


def episode_columns(options: EnvironmentOptions) -> tuple[str, ...]:
    """The columns about episodes of the environment with these options."""
    hints = getattr(options, "hints", None)
    hinted = _HINT_COLUMNS if hints is not None and hints.expert else ()
    pressed = _BOARD_COLUMNS if isinstance(options, BoardOptions) else ()
    return (*EPISODE_COLUMNS, *hinted, *pressed)


def lag_columns(max_lag: int | None) -> tuple[str, ...]:
    """A column for each number of versions by which items may be too old: their part."""
    return (
        ()
        if max_lag is None
        else tuple(f"staleness/versions_{lag}" for lag in range(min(max_lag, _LAGS) + 1))
    )


@dataclass
class Window:
    """Sums since it was made."""

    max_lag: int | None
    began: float = field(default_factory=time.monotonic)
    waited: float = 0.0  # seconds
    paused: float = 0.0  # seconds in which the learner did something else
    dropped: int = 0  # items
    items: int = 0
    _metrics: list[Mapping[str, jax.Array]] = field(default_factory=list)
    _versions: list[np.ndarray] = field(default_factory=list)
    _seconds: list[np.ndarray] = field(default_factory=list)

    def add(self, metrics: Mapping[str, jax.Array], staleness: Staleness, dropped: int) -> None:
        """One update."""
        self._metrics.append(metrics)
        self._versions.append(staleness.versions)
        self._seconds.append(staleness.seconds)
        self.dropped += dropped
        self.items += len(staleness.versions)

    def row(self, frames: int, report: ActorReport) -> dict[str, Any]:
        """The part of a row that the sums give.

        Args:
          frames: learnt from in this window.
          report: what the actors did.
        """
        seconds = max(time.monotonic() - self.began, 1e-9)
        learning = max(seconds - self.paused, 1e-9)
        row: dict[str, Any] = {
            "frames_per_second": round(frames / learning, 1),
            "actor_frames_per_second": round(report.frames / seconds, 1),  # they go on
            "learner_wait": round(self.waited / learning, 4),
            "dropped_items": self.dropped,
        }
        row |= _episodes(report) | _actors(report) | self._staleness()
        metrics = jax.device_get(self._metrics)
        for name in metrics[0] if metrics else ():
            row[name] = float(np.mean([each[name] for each in metrics]))
        return row

    def _staleness(self) -> dict[str, Any]:
        if not self._versions:
            return {}
        versions, seconds = np.concatenate(self._versions), np.concatenate(self._seconds)
        columns = lag_columns(self.max_lag)
        capped = np.minimum(versions, len(columns) - 1)
        return {
            "staleness/versions_mean": float(versions.mean()),
            "staleness/versions_max": int(versions.max()),
            "staleness/seconds_median": round(float(np.median(seconds)), 4),
            "staleness/seconds_95": round(float(np.quantile(seconds, 0.95)), 4),
            "staleness/seconds_max": round(float(seconds.max()), 4),
        } | {name: float((capped == lag).mean()) for lag, name in enumerate(columns)}


def _episodes(report: ActorReport) -> dict[str, Any]:
    row: dict[str, Any] = {"episodes": report.episodes}
    if report.episodes:
        row["success_rate"] = report.successes / report.episodes
        row["episode_return"] = report.returns / report.episodes
        row["episode_length"] = report.lengths / report.episodes
        if given := report.counts.get("hints_given"):
            row["auxiliary_return"] = report.auxiliary / report.episodes
            row["hints_reached"] = report.counts["hints_reached"] / given
        if "illegal_presses" in report.counts:
            row["illegal_presses"] = report.counts["illegal_presses"] / report.episodes
    return row


def _actors(report: ActorReport) -> dict[str, Any]:
    """Parts of the actors' time."""
    times = {
        "actor_act": report.act_seconds,
        "actor_step": report.step_seconds,
        "actor_wait": report.wait_seconds,
        "actor_write": report.write_seconds,
    }
    total = sum(times.values())
    return {name: round(seconds / total, 4) for name, seconds in times.items()} if total else {}
