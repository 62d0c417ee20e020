"""Schedules: linear, then constant."""

import jax
import jax.numpy as jnp
import pytest

from agents.schedules import linear


@pytest.mark.parametrize(
    ("frames", "fraction"), [(0, 1.0), (250, 0.775), (500, 0.55), (1000, 0.1), (5000, 0.1)]
)
def test_the_rate_falls_linearly_with_frames_and_stays(frames, fraction):
    assert linear(0.02, 0.1, jnp.uint32(frames), 1000) == pytest.approx(0.02 * fraction, rel=1e-6)


def test_a_budget_beyond_32_bits():
    rate = jax.jit(lambda frames: linear(4e-4, 0.01, frames, 4_000_000_000))(2_000_000_000)
    assert rate == pytest.approx(4e-4 * 1.01 / 2)
