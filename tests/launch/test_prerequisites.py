"""Runs that a run begins with: given or trained first, continued when killed, counted."""

import json
import resource
import shutil
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.base import AgentState
from agents.cnn.config import CNNConfig
from agents.models.config import EnvironmentModelConfig, ModelConfig
from agents.random.agent import make as random_agent
from environments.embedded.mujoban.registration import MujobanOptions
from environments.errors import UserError
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.spec import sokoban_spec
from experiments import registry
from experiments.base import Experiment, Runner
from launch import companions, configuration, prerequisites, published
from launch.run_folder import RunFolder
from tests.launch.commands import (
    LEVELS,
    assert_one_line,
    assert_same_run,
    moravec,
    rows,
    started,
    wait_until,
)
from tests.launch.videos import read

POLICY = CNNConfig(layers=1, channels=4, hidden=8, environments=4, unroll_length=5)
MODEL = EnvironmentModelConfig(
    model=ModelConfig(channels=4, blocks=0),
    policy=POLICY,
    environments=4,
    unroll_length=5,
)
PLAY = Experiment(
    name="sokoban_model_policy",
    environment=SokobanOptions(levels=LEVELS, time_limit=(8, 10)),
    agent=POLICY,
    runner=Runner(log_frames=100, checkpoint_minutes=0),
    max_frames=300,
)
LEARN = replace(PLAY, name="sokoban_model", agent=MODEL, prerequisites={"policy": "?"})


@pytest.fixture
def configs(tmp_path):
    """Configuration files of the policy's experiment, and of the model's, which begins with it."""
    configuration.save(PLAY, tmp_path / "policy.json")
    learn = replace(LEARN, prerequisites={"policy": str(tmp_path / "policy.json")})
    configuration.save(learn, tmp_path / "model.json")
    return tmp_path


def test_parameters_enter_under_the_name_of_their_part():
    """All of a policy's, but of a model learner's run nothing but the model."""
    params = {
        "agent": {"net": {"w": jnp.zeros(2)}},
        "model": {"net": {"w": jnp.zeros(3), "b": jnp.zeros(1)}},
    }
    given = published.InitialParams(
        {"model/net/w": np.arange(3.0), "model/net/b": np.ones(1)}, ("model",)
    )
    spec = published.EnvironmentSpec({}, SPEC_ACTION, ("solved",))
    agent = replace(random_agent(spec), policy_params=lambda state: state.params)
    state = AgentState(params, (), frames=jnp.zeros(()), updates=jnp.zeros(()))
    found = given.into(agent, state).params
    assert jax.tree.structure(found) == jax.tree.structure(params)
    np.testing.assert_array_equal(found["model"]["net"]["w"], [0, 1, 2])
    np.testing.assert_array_equal(found["agent"]["net"]["w"], [0, 0])
    with pytest.raises(UserError, match=r"model/net/b is absent there, \(1,\) here"):
        published.InitialParams({"model/net/w": np.zeros(3)}, ("model",)).into(agent, state)
    wrong = published.InitialParams(given.arrays | {"model/net/w": np.zeros(4)}, ("model",))
    with pytest.raises(UserError, match=r"model/net/w is \(4,\) there, \(3,\) here"):
        wrong.into(agent, state)
    with pytest.raises(UserError, match="agent/net/w is absent there"):
        published.InitialParams(given.arrays).into(agent, state)


def _published(path, params, experiment, frames):
    path.mkdir()
    run = RunFolder(path)
    configuration.save(experiment, run.config)
    spec = published.EnvironmentSpec({}, SPEC_ACTION, ("solved",))
    published.publish(run.policy, params, spec, frames)
    return run


SPEC_ACTION = published.specs.DiscreteArray(4, np.int32, "action")


def test_of_a_run_with_a_part_of_that_name_the_part_alone(tmp_path):
    whole = {"model": {"a": jnp.ones(2)}, "policy": {"b": jnp.ones(3)}}
    run = _published(tmp_path / "model", whole, LEARN, 40)
    found = prerequisites.given((prerequisites.Source("model", "it", LEARN, run),))
    assert found is not None
    assert set(found.arrays) == {"model/a"}
    policy = _published(tmp_path / "policy", {"b": jnp.ones(3)}, PLAY, 7)
    found = prerequisites.given((prerequisites.Source("policy", "it", PLAY, policy),))
    assert found is not None
    assert set(found.arrays) == {"policy/b"}
    assert found.parts == ("policy",)


def test_frames_are_counted_through_all_generations(tmp_path):
    policy = _published(tmp_path / "policy", {"b": jnp.ones(3)}, PLAY, 7)
    model = _published(tmp_path / "model", {"model": {"a": jnp.ones(2)}}, LEARN, 40)
    prerequisites.write(model, (prerequisites.Source("policy", "p", PLAY, policy),))
    assert prerequisites.frames(policy) == 0
    assert prerequisites.frames(model) == 7
    (tmp_path / "run").mkdir()
    run = RunFolder(tmp_path / "run")
    prerequisites.write(run, (prerequisites.Source("model", "m", LEARN, model),))
    assert prerequisites.frames(run) == 47
    assert configuration.load(run.prerequisites / "model" / "config.json") == LEARN


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("sokoban_smal", "there is no experiment 'sokoban_smal'; did you mean 'sokoban_small'"),
        ("sokoban_small", "agent.policy is a CNNConfig here, but a DRCConfig in sokoban_small"),
        ("no/such/run", "prerequisites.policy: there is no run no/such/run"),
        ("sokoban_model_policy", r"agent.policy.layers is 1 here, but 2 in sokoban_model_policy"),
    ],
)
def test_what_does_not_fit_is_named(said, words):
    with pytest.raises(UserError, match=words):
        prerequisites.sources(replace(LEARN, prerequisites={"policy": said}))


def test_a_part_that_the_agent_lacks_is_named():
    with pytest.raises(UserError, match="the agent cnn has no part 'policy'"):
        prerequisites.sources(replace(LEARN, agent=POLICY))


def test_how_a_policy_learnt_is_its_own_affair(tmp_path):
    other = replace(PLAY, agent=replace(POLICY, learning_rate=1e-4, unroll_length=7))
    configuration.save(other, tmp_path / "policy.json")
    said = {"policy": str(tmp_path / "policy.json")}
    (source,) = prerequisites.sources(replace(LEARN, prerequisites=said, seed=5))
    assert source.experiment == replace(other, seed=5)


def test_an_experiment_comes_before_a_folder_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = _published(tmp_path / "sokoban_model_policy", {"b": jnp.ones(3)}, PLAY, 7)
    registered = registry.load("sokoban_model_policy")
    learn = replace(LEARN, agent=replace(MODEL, policy=registered.agent))
    (source,) = prerequisites.sources(
        replace(learn, prerequisites={"policy": "sokoban_model_policy"})
    )
    assert source.run is None
    said = "./sokoban_model_policy"
    (source,) = prerequisites.sources(replace(LEARN, prerequisites={"policy": said}))
    assert source.run is not None
    (tmp_path / "run").mkdir()
    run = RunFolder(tmp_path / "run")
    prerequisites.write(run, (source,))
    record = json.loads(run.prerequisites_record.read_text())
    assert record["policy"]["from"] == str(folder.path)


@pytest.mark.parametrize(
    "damaged",
    ["", "{", "[]", '["policy"]', '{"policy": 1}', '{"policy": {"frames": 7}}', "\xff"],
)
def test_a_damaged_record_is_told_in_one_line(tmp_path, damaged):
    policy = _published(tmp_path / "policy", {"b": jnp.ones(3)}, PLAY, 7)
    (tmp_path / "run").mkdir()
    run = RunFolder(tmp_path / "run")
    prerequisites.write(run, (prerequisites.Source("policy", "p", PLAY, policy),))
    run.prerequisites_record.write_bytes(damaged.encode("latin-1"))
    for function in (prerequisites.kept, prerequisites.frames):
        with pytest.raises(UserError, match=r"prerequisites.json is damaged: put back") as caught:
            function(run)
        assert "\n" not in str(caught.value)


def test_what_a_prerequisite_goes_by_comes_along(tmp_path):
    """Its perception, whether the run is given or a configuration beside what it goes by."""
    reader = _published(tmp_path / "reader", {"b": jnp.ones(3)}, PLAY, 7)
    policy = _published(tmp_path / "policy", {"b": jnp.ones(3)}, PLAY, 7)
    seeing = replace(PLAY, environment=MujobanOptions(levels=LEVELS, perception=str(reader.path)))
    configuration.save(companions.keep(policy, seeing), policy.config)
    shutil.rmtree(reader.path)
    for number, said in enumerate((policy.path, policy.config)):
        found = prerequisites.sources(replace(LEARN, prerequisites={"policy": str(said)}))
        run = RunFolder(tmp_path / str(number))
        run.path.mkdir()
        prerequisites.write(run, found)
        mine = RunFolder(run.prerequisites / "policy")
        options = configuration.load(mine.config).environment
        assert options == replace(seeing.environment, perception="./companions/perception")
        kept = mine.companions / "perception" / "policy.npz"
        assert kept.read_bytes() == (policy.companions / "perception" / "policy.npz").read_bytes()


def test_a_start_that_fails_leaves_nothing_in_the_way_of_the_next(tmp_path, mistake):
    """The configuration of the prerequisite fits on the disk, its parameters do not."""
    wide = replace(PLAY, agent=replace(POLICY, hidden=2000), max_frames=20)
    model = replace(MODEL, policy=wide.agent, environments=16)
    learn = replace(LEARN, agent=model, max_frames=20)
    configuration.save(learn, tmp_path / "model.json")
    agent = wide.agent.make(sokoban_spec((5, 5), wide.environment), 20)
    params = agent.policy_params(jax.eval_shape(agent.init, jax.random.key(0)))
    params = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), params)
    policy = _published(tmp_path / "policy", params, wide, 7)
    assert policy.policy.stat().st_size > 200_000
    given = "--config", tmp_path / "model.json", "--prerequisites.policy", policy.path
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        line = mistake("train", *given, "--run-dir", tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "file too large" in line
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_trained_first_killed_and_continued(configs):
    """Killed in the prerequisite, resumed: the same as if nobody had."""
    config, run = configs / "model.json", configs / "run"
    done = moravec("train", "--config", config, "--run-dir", configs / "whole")
    assert done.returncode == 0, done.stderr
    policy = RunFolder(run / "prerequisites/policy")
    with started("train", "--config", config, "--run-dir", run) as process:
        wait_until(policy.policy.exists, process)
    assert not (run / "policy.npz").exists()
    shutil.rmtree(policy.path / "evaluation", ignore_errors=True)
    done = moravec("train", "--resume", run)
    assert done.returncode == 0, done.stderr
    assert_same_run(run, configs / "whole")
    assert_same_run(policy.path, configs / "whole/prerequisites/policy")
    # What was trained is what the run plays by; it is counted, and said.
    trained = published.load(policy.policy)
    mine = published.load(run / "policy.npz").params
    for name, array in trained.params.items():
        np.testing.assert_array_equal(mine[f"policy/{name}"], array)
    assert trained.frames == rows(policy.path)[-1]["frames"] >= 300
    assert prerequisites.frames(RunFolder(run)) == trained.frames
    assert f" and {trained.frames:,} of the runs that it began with, " in done.stderr


@pytest.mark.slow
def test_a_run_that_is_given(configs):
    policy, run = configs / "policy", configs / "run"
    assert (
        moravec("train", "--config", configs / "policy.json", "--run-dir", policy).returncode == 0
    )
    options = ("--prerequisites.policy", policy, "--run-dir", run)
    done = moravec("train", "--config", configs / "model.json", *options)
    assert done.returncode == 0, done.stderr
    copy = run / "prerequisites/policy"
    assert {path.name for path in copy.iterdir()} == {"config.json", "policy.npz"}
    assert (copy / "policy.npz").read_bytes() == (policy / "policy.npz").read_bytes()
    assert json.loads((run / "config.json").read_text())["prerequisites"] == {"policy": str(policy)}
    video = configs / "v.gif"
    done = moravec("watch", run, "--out", video, "--size", 100, "--seconds", 3)
    assert done.returncode == 0, done.stderr
    width = read(video).shape[2]
    assert width >= 200  # what is there, and what is imagined
    # The run is complete by itself: a model learner evaluates without its prerequisite.
    shutil.rmtree(policy)
    shutil.rmtree(run / "prerequisites")
    done = moravec("evaluate", run, "--suite", LEVELS, "--json")
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout)[0]["metrics"]
    for name in ("frame_nll", "reward_accuracy", "frame_accuracy_1", "frame_accuracy_15"):
        assert np.isfinite(metrics[name])


@pytest.mark.slow
def test_a_prerequisite_that_does_not_fit_leaves_nothing(configs):
    options = ("--agent.policy.hidden", 9, "--run-dir", configs / "run")
    done = moravec("train", "--config", configs / "model.json", *options)
    assert_one_line(done, "agent.policy.hidden is 9 here, but 8 in")
    assert not (configs / "run").exists()
