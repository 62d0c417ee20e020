"""Times programs against each other: interleaved, medians, wall and CPU seconds."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from environments.progress import progress


@dataclass(frozen=True)
class Timing:
    """How long one call takes: medians over the rounds."""

    wall: float  # seconds
    cpu: float  # CPU seconds of the process, all its threads


def interleave(
    description: str, programs: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, Timing]:
    """Calls every program in turn, round after round, so that a noisy moment meets them all.

    One more round goes before, to warm up. A program must not return before its work is done:
    `jax.block_until_ready` what it computes.
    """
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    with progress(description, (rounds + 1) * len(programs)) as advance:
        for _ in range(rounds + 1):
            for name, program in programs.items():
                wall, cpu = time.perf_counter(), time.process_time()
                program()
                seconds[name].append((time.perf_counter() - wall, time.process_time() - cpu))
                advance(1)
    return {
        name: Timing(*(median(column) for column in zip(*rows[1:], strict=True)))
        for name, rows in seconds.items()
    }


def compile_timed(jitted: Any, *args: Any, **kwargs: Any) -> tuple[Callable[..., Any], float]:
    """Compiles what `jax.jit` returned for these arguments; also gives the seconds it took."""
    begin = time.perf_counter()
    compiled = jitted.lower(*args, **kwargs).compile()
    return compiled, time.perf_counter() - begin
