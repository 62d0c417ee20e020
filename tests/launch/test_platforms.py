"""What the machine has."""

import json
import os
import shutil
import sys

import numpy as np
import pytest

from environments.players.sokoban import batch
from launch import optimality, platforms
from tests.launch.commands import LEVELS, TINY, assert_one_line, moravec


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process may use all")
def test_a_process_uses_no_more_cores_than_it_may(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5})
    assert platforms.cores() == 2
    asked = {}
    monkeypatch.setattr(batch, "solve_all", lambda levels, **options: asked.update(options) or [])
    optimality.optimality([np.zeros(1)], [])  # pyright: ignore[reportArgumentType]
    assert asked["threads"] == 2


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("JAX_PLATFORMS", "cuda", "unset it, or give cpu"),
        pytest.param("JAX_PLATFORMS", "gpu", "unset it, or give cpu", marks=pytest.mark.slow),
        pytest.param("JAX_PLATFORMS", "nonsense", "unset it, or give cpu", marks=pytest.mark.slow),
        pytest.param("JAX_NUM_CPU_DEVICES", "0", "unset it", marks=pytest.mark.slow),
        pytest.param("JAX_NUM_CPU_DEVICES", "many", "correct or unset it", marks=pytest.mark.slow),
        ("JAX_DEBUG_NANS", "maybe", "correct or unset it"),
    ],
)
@pytest.mark.skipif(bool(shutil.which("nvidia-smi")), reason="there is what is missing elsewhere")
def test_a_variable_with_which_jax_cannot_start_is_told(tmp_path, variable, value, said):
    command = ("evaluate", "random", "--episodes", "2", "--suite", LEVELS)
    assert_one_line(moravec(*command, **{variable: value}), f"{variable}={value}", said)


@pytest.mark.slow
@pytest.mark.skipif(bool(shutil.which("nvidia-smi")), reason="there is what is missing elsewhere")
def test_training_and_the_doctor_tell_of_such_a_variable(tmp_path):
    run = tmp_path / "run"
    done = moravec("train", *TINY, "--run-dir", run, JAX_PLATFORMS="cuda")
    assert_one_line(done, "JAX_PLATFORMS=cuda", "unset it")
    assert not run.exists()
    found = json.loads(moravec("doctor", "--json", JAX_PLATFORMS="cuda").stdout)
    (jax,) = (check for check in found["checks"] if check["name"] == "JAX")
    assert "JAX_PLATFORMS=cuda" in jax["detail"]
    assert "unset it" in jax["advice"]


def test_where_jax_starts_no_variable_is_wrong(monkeypatch):
    monkeypatch.setenv("JAX_SOMETHING", "else")
    assert platforms.wrong_settings() == ""
