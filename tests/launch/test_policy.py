"""A policy rebuilt from a run folder acts as the agent did in training, without any levels."""

import dataclasses
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import launch
from agents.cnn.config import CNNConfig
from agents.drc.config import DRCConfig
from environments.errors import UserError
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.spec import sokoban_spec
from experiments.base import Experiment
from launch import configuration, published, run_folder

EXPERIMENT = Experiment(
    name="test",
    environment=SokobanOptions(levels="/no/such/levels.txt"),
    agent=DRCConfig(depth=1, repeats=1, channels=8, hidden=16),
    max_frames=5000,
)
SPEC = sokoban_spec((6, 6), EXPERIMENT.environment)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder with some policy, its agent and its parameters."""
    folder = run_folder.create(tmp_path_factory.mktemp("run"))
    configuration.save(EXPERIMENT, folder.config)
    agent = EXPERIMENT.agent.make(SPEC, EXPERIMENT.max_frames)
    like = jax.eval_shape(lambda key: agent.policy_params(agent.init(key)), jax.random.key(0))
    draw = np.random.default_rng(3).normal
    params = jax.tree.map(lambda leaf: draw(0, 0.3, leaf.shape).astype(leaf.dtype), like)
    published.publish(folder.policy, params, SPEC, 1234)
    return folder, agent, params


def _observation(seed: int):
    return {"planes": jax.random.bernoulli(jax.random.key(seed), 0.3, (5, 6, 6, 4))}


def test_acts_as_the_agent(run):
    folder, agent, params = run
    policy = launch.load_policy(folder.path)
    assert policy.frames == 1234
    assert policy.experiment == EXPERIMENT
    assert policy.spec == SPEC
    core = policy.initial_core(5)
    expected_core = agent.initial_core(5)
    act = jax.jit(agent.act, static_argnames="greedy")
    for t, greedy in enumerate((True, False, True)):
        first, key = jnp.full(5, t == 0), jax.random.key(t)
        action, core = policy(_observation(t), first, core, key=key, greedy=greedy)
        expected, _, expected_core = act(
            params, key, _observation(t), first, expected_core, greedy=greedy
        )
        assert action.shape == (5,)
        np.testing.assert_array_equal(action, expected)
    for a, b in zip(jax.tree.leaves(core), jax.tree.leaves(expected_core), strict=True):
        np.testing.assert_array_equal(a, b)


def test_threads_share_what_one_of_them_loads(run, tmp_path, monkeypatch):
    made = []

    def make(*args):
        made.append(args)
        time.sleep(0.1)
        return make_drc(*args)

    make_drc = DRCConfig.make
    monkeypatch.setattr(DRCConfig, "make", make)
    path = shutil.copytree(run[0].path, tmp_path / "run")
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(launch.load_policy, [path] * 8))
    assert len(made) == 1
    assert all(policy is found[0] for policy in found)
    published.publish(path / "policy.npz", run[2], SPEC, 5678)
    assert launch.load_policy(path).frames == 5678
    assert found[0].frames == 1234


def test_sampling_needs_a_key(run):
    policy = launch.load_policy(str(run[0].path))
    with pytest.raises(ValueError, match="give a key"):
        policy(_observation(0), jnp.ones(5, bool), policy.initial_core(5), greedy=False)


def test_another_agents_policy_is_told(run, tmp_path):
    folder = run_folder.create(tmp_path / "run")
    configuration.save(dataclasses.replace(EXPERIMENT, agent=CNNConfig()), folder.config)
    folder.policy.write_bytes(run[0].policy.read_bytes())
    with pytest.raises(UserError, match=r"policy.npz does not fit .*another network's"):
        launch.load_policy(folder.path)


def test_no_policy_yet(tmp_path):
    folder = run_folder.create(tmp_path / "run")
    configuration.save(EXPERIMENT, folder.config)
    with pytest.raises(UserError, match="none was published yet"):
        launch.load_policy(folder.path)
    with pytest.raises(UserError, match="is not a run"):
        launch.load_policy(tmp_path)


def test_import_loads_no_jax():
    command = "import sys, launch; assert 'jax' not in sys.modules; launch.load_policy"
    subprocess.run([sys.executable, "-c", command], check=True)
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        launch.other  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]
