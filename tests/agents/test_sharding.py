"""An update shards over the batch: the same on four devices and on one."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dm_env import specs
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from agents.base import Unroll
from agents.drc.config import DRCConfig
from environments.base import EnvironmentSpec
from tests.agents.toy import noise_state, quick_jit, random_observation

TIME, BATCH = 5, 8
SPEC = EnvironmentSpec(
    observation={
        "planes": specs.Array((4, 4, 4), bool),
        "speed": specs.Array((3,), np.float32),
        "camera": specs.BoundedArray((24, 24, 3), np.uint8, 0, 255),
    },
    action=specs.BoundedArray((2,), np.float32, (-2.0, 0.0), (2.0, 1.0)),
    outcomes=("done",),
)
CONFIG = DRCConfig(depth=1, repeats=1, channels=4, encoder_kernel=3, hidden=8)


def noise_unroll(agent) -> Unroll:
    """Gaussian actions, a mixed observation; each third world's episode is cut off."""
    rng = np.random.default_rng(0)
    is_last = np.zeros((TIME + 1, BATCH), bool)
    is_last[2, ::3] = True
    sample = rng.normal(size=(TIME, BATCH, 2))
    log_prob = rng.uniform(-3, -1, (TIME, BATCH))
    unroll = Unroll(
        observation=random_observation(SPEC, 0, (TIME + 1, BATCH)),
        is_first=np.roll(is_last, 1, axis=0),
        is_last=is_last,
        action=np.clip(sample, -1, 1),
        reward=rng.normal(size=(TIME, BATCH)),
        discount=np.ones((TIME, BATCH)),
        extras={"log_prob": log_prob, "sample": sample},
        core=agent.initial_core(BATCH),
    )
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float32) if x.dtype == float else x, unroll)


def updated(devices: int) -> dict[str, np.ndarray]:
    """Parameters and metrics after two updates on so many devices."""
    mesh = Mesh(np.asarray(jax.devices()[:devices]), ("data",))
    time_major = NamedSharding(mesh, PartitionSpec(None, "data"))
    batch_first = NamedSharding(mesh, PartitionSpec("data"))
    agent = CONFIG.make(SPEC, frames=1000)
    state = jax.device_put(noise_state(agent, seed=0), NamedSharding(mesh, PartitionSpec()))
    unroll = noise_unroll(agent)
    unroll = replace(
        jax.device_put(replace(unroll, core=()), time_major),
        core=jax.device_put(unroll.core, batch_first),
    )
    assert len(unroll.extras["sample"].devices()) == devices
    update = quick_jit(agent.update)
    for _ in range(2):
        state, metrics = update(state, unroll, jax.random.key(0))
    leaves = jax.tree_util.tree_leaves_with_path((state.params, metrics))
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


@pytest.mark.slow
def test_four_devices_give_the_same_update():
    script = (
        "import jax, numpy; from tests.agents.test_sharding import updated;"
        "assert jax.device_count() == 4;"
        "one, four = updated(1), updated(4);"
        "assert len(one) == len(four) > 20;"
        "[numpy.testing.assert_allclose(four[k], x, atol=1e-6, err_msg=k)"
        " for k, x in one.items()]"
    )
    flags = "--xla_force_host_platform_device_count=4"
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        timeout=200,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )
