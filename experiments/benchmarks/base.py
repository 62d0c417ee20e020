"""What a benchmark gives: measurements."""

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """One figure of a benchmark, and what was measured beside it in the same run."""

    name: str  # of the benchmark
    metric: str  # what was measured, and, if there is a baseline, against what
    value: float
    unit: str
    baseline: float | None = None  # in the same unit; None if there is nothing to compare with

    @property
    def ratio(self) -> float | None:
        """`value / baseline`; None without a baseline."""
        return None if self.baseline is None else self.value / self.baseline

    def to_json(self) -> dict[str, Any]:
        """The fields and the ratio, ready for JSON."""
        return {**dataclasses.asdict(self), "ratio": self.ratio}
