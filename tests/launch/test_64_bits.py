"""Whoever has JAX work with 64 bits plays, acts and trains as others do."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLAY = """
import jax
import numpy as np

import environments
from environments.errors import UserError
from launch.policy import load_policy
from tests.environments.cases import CASES

assert jax.numpy.zeros(1).dtype == "float64"
actions = np.zeros(2, np.int32)
for name, entry in environments.entries().items():
    if entry.batched is None:
        continue
    with environments.load_vector(name, 2, **CASES[name].options) as worlds:
        worlds.step(actions)
        worlds.restore(worlds.snapshot())
        shown = worlds.step(actions)
        for key, spec in worlds.spec.observation.items():
            assert shown.observation[key].dtype == spec.dtype, (name, key)
        assert shown.reward.dtype == shown.discount.dtype == np.float32
batched = environments.load_batched("tic_tac_toe")
try:
    jax.jit(batched.reset, static_argnums=1)(jax.random.key(0), 2)
except UserError as error:
    print(error)
policy = load_policy("pretrained/sokoban_small")
shown = {key: np.zeros((2, *x.shape), x.dtype) for key, x in policy.spec.observation.items()}
action, core = policy(shown, np.ones(2, bool), policy.initial_core(2))
assert action.dtype == np.int32
assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(core))
"""


def run(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "JAX_ENABLE_X64": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_many_worlds_play_and_policies_act():
    printed = run("-c", PLAY, cwd=ROOT)
    assert printed.count("\n") == 1
    assert "jax_enable_x64" in printed


def test_sokoban_small_trains(tmp_path):
    tiny = ("--agent.channels=4", "--agent.hidden=16", "--agent.environments=4",
            "--agent.unroll-length=5", "--evaluation.episodes=4", "--max-frames=200",
            "--environment.levels=generated:size=6,boxes=1,count=5,seed=0")  # fmt: skip
    run("-m", "launch.cli", "train", "sokoban_small", *tiny, "--run-dir=run", cwd=tmp_path)
    assert (tmp_path / "run" / "policy.npz").exists()
