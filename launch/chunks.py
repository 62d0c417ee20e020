"""Runs the device runner's program for about a second at a time, so that it obeys soon."""

import time
from collections.abc import Callable

import jax

from launch.device_program import DeviceState, Sums

_SECONDS = 1.0


class Chunks:
    """Advances training by chunks; none goes beyond the end of a row of metrics."""

    def __init__(
        self,
        advance: Callable[[DeviceState, Sums, int], tuple[DeviceState, Sums]],
        row_iterations: int,
    ):
        """Args:
        advance: does so many iterations, or fewer if the budget ends before.
        row_iterations: that make a row.
        """
        self._advance, self._row_iterations = advance, row_iterations
        self._iterations = 1  # of the next chunk; grows to what takes a second
        self._frames, self._seconds = 0, 0.0  # since the last row

    def run(self, state: DeviceState, sums: Sums) -> tuple[DeviceState, Sums]:
        """One chunk, at least one iteration of it; `state` is used up."""
        frames, done = int(state.agent.frames), int(sums.iterations)
        iterations = min(self._iterations, self._row_iterations - done)
        began = time.monotonic()
        state, sums = jax.block_until_ready(self._advance(state, sums, iterations))
        seconds = max(time.monotonic() - began, 1e-9)
        in_time = int((int(sums.iterations) - done) * _SECONDS / seconds)
        self._iterations = max(1, min(2 * self._iterations, in_time))
        self._frames += int(state.agent.frames) - frames
        self._seconds += seconds
        return state, sums

    def row_is_full(self, sums: Sums) -> bool:
        """Whether a row of metrics is made of these sums."""
        return int(sums.iterations) >= self._row_iterations

    def speed(self) -> float:
        """Frames a second since the last call, all else than the program left out."""
        speed = self._frames / max(self._seconds, 1e-9)
        self._frames, self._seconds = 0, 0.0
        return round(speed, 1)
