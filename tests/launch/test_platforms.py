"""What the machine has."""

import os
import sys

import numpy as np
import pytest

from environments.players.sokoban import batch
from launch import optimality, platforms


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process may use all")
def test_a_process_uses_no_more_cores_than_it_may(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5})
    assert platforms.cores() == 2
    asked = {}
    monkeypatch.setattr(batch, "solve_all", lambda levels, **options: asked.update(options) or [])
    optimality.optimality([np.zeros(1)], [])  # pyright: ignore[reportArgumentType]
    assert asked["threads"] == 2
