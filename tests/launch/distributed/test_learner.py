"""The learner's update: the same on one device and on four, the same as the device runner's."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.drc.config import DRCConfig
from environments.registry import load_batched
from launch import device_program
from launch.distributed.base import item_spec
from launch.distributed.learner import Learner
from launch.learning import learn
from tests.agents.toy import quick_jit

LEVELS = "generated:size=5,boxes=1,count=20,seed=0"
CONFIG = DRCConfig(
    depth=1, repeats=1, channels=4, hidden=16, environments=8, minibatches=2, unroll_length=5
)


@functools.cache
def unroll_of_play() -> tuple:
    """An agent, its first state, and an unroll that it made."""
    environment = load_batched("sokoban", levels=LEVELS, time_limit=(4, 6))
    agent = CONFIG.make(environment.spec, 1000)
    init = quick_jit(device_program.init, static_argnums=0)
    state = init(agent, environment, jax.random.key(0))
    gather = quick_jit(device_program.gather, static_argnums=0)
    _, unroll, _ = gather(agent, environment, state, jax.random.key(1))
    return agent, environment, unroll


@functools.cache
def compiled_learner() -> Learner:
    """A learner of that agent, compiled once for all tests."""
    return Learner(unroll_of_play()[0])


def updated() -> dict[str, np.ndarray]:
    """Parameters and metrics after two updates on all devices there are."""
    _, _, unroll = unroll_of_play()
    learner = compiled_learner()
    state = learner.init(jax.random.key(0))
    batch = jax.device_get(unroll)
    for _ in range(2):
        state, metrics = learner.update(state, learner.put(batch))
    leaves = jax.tree_util.tree_leaves_with_path((state.agent, metrics))
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


@pytest.mark.slow
def test_four_devices_give_the_same_update(tmp_path):
    script = (
        "import sys, numpy, jax; assert jax.device_count() == 4;"
        "from tests.launch.distributed.test_learner import updated;"
        "numpy.savez(sys.argv[1], **{k.replace('/', '|'): v for k, v in updated().items()})"
    )
    out = tmp_path / "four.npz"
    subprocess.run(
        [sys.executable, "-c", script, str(out)],
        check=True,
        timeout=200,
        cwd=Path(__file__).parents[3],
        env={
            **os.environ,
            "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
            "JAX_PLATFORMS": "cpu",
        },
    )
    one = updated()
    with np.load(out) as four:
        assert len(four.files) == len(one) > 10
        for name, value in one.items():
            np.testing.assert_allclose(four[name.replace("/", "|")], value, atol=1e-6, err_msg=name)


def test_the_update_is_the_agents_own():
    agent, _, unroll = unroll_of_play()
    learner = compiled_learner()
    state = learner.init(jax.random.key(0))
    key, update_key = jax.random.split(state.key)
    expected, _ = quick_jit(lambda state, unroll: learn(agent, state, unroll, update_key, parts=2))(
        state.agent, unroll
    )
    before = jax.device_get(state.agent.params)
    found, _ = learner.update(state, learner.put(jax.device_get(unroll)))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-7),
        found.agent.params,
        expected.params,
    )
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), found.agent.params, before)
    assert max(jax.tree.leaves(moved)) > 1e-6
    assert jnp.array_equal(jax.random.key_data(found.key), jax.random.key_data(key))
    frames = int((~np.asarray(unroll.is_last)[:-1]).sum())
    assert int(found.agent.frames) == frames < 40


def test_metrics_are_known_before_the_first_update():
    agent, environment, unroll = unroll_of_play()
    learner = compiled_learner()
    spec = item_spec(agent, environment.spec, 5)
    state = learner.init(jax.random.key(0))
    _, metrics = learner.update(state, learner.put(jax.device_get(unroll)))
    assert learner.metrics(spec, 8).keys() == metrics.keys()
