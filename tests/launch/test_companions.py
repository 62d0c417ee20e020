"""What a run goes by is kept in it: it may be moved, and the others may go."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

import launch
from agents.drc.config import DRCConfig
from agents.mlp.config import MLPConfig
from environments import load
from environments.embedded.mujoban.registration import MujobanOptions
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.spec import sokoban_spec
from environments.hints.options import HintOptions
from experiments.base import Experiment, Runner
from launch import companions, configuration, run_folder, train
from tests.launch.test_expert import LEVELS, publish


@pytest.fixture
def expert(tmp_path) -> str:
    options = SokobanOptions(levels=LEVELS)
    agent = DRCConfig(depth=1, repeats=1, channels=8, hidden=16)
    experiment = Experiment(name="test", environment=options, agent=agent)
    return publish(tmp_path / "expert", experiment, sokoban_spec((5, 5), options))


def hinted(expert: str) -> Experiment:
    return Experiment(
        name="test",
        environment=MujobanOptions(levels=LEVELS, hints=HintOptions(expert, kind="action")),
        agent=MLPConfig(hidden=(8,)),
        runner=Runner(kind="local"),
    )


def test_a_run_may_be_moved_and_its_expert_may_go(expert, tmp_path):
    experiment = hinted(expert)
    world = load("mujoban", **vars(experiment.environment))
    path = tmp_path / "run"
    publish(path, experiment, world.spec)  # pyright: ignore[reportAttributeAccessIssue]
    kept = companions.keep(run_folder.RunFolder(path), experiment)
    assert kept.environment.hints.expert == "./companions/expert"  # pyright: ignore
    assert replace(kept, environment=experiment.environment) == experiment
    configuration.save(kept, path / "config.json")
    path.rename(tmp_path / "moved")
    shutil.rmtree(expert)
    policy = launch.load_policy(tmp_path / "moved")
    config = tmp_path / "moved" / "config.json"
    again = train.parse(["--config", str(config)])
    assert isinstance(again, train.Arguments)
    assert again.experiment.environment == policy.experiment.environment
    elsewhere = load("mujoban", **vars(policy.experiment.environment))
    shown, expected = elsewhere.reset().observation, world.reset().observation
    assert shown["hint/present"]
    for key, value in expected.items():
        np.testing.assert_array_equal(shown[key], value)


@pytest.mark.parametrize("expert", ["", "solver", "pretrained:sokoban_small"])
def test_what_is_no_run_of_the_users_stays_as_it_is(expert, tmp_path):
    experiment = hinted(expert)
    run = run_folder.create(tmp_path / "run")
    assert companions.keep(run, experiment) == experiment
    assert companions.resolved(experiment, run) == experiment
    assert not run.companions.exists()


def test_what_reads_pictures_is_kept_too(expert, tmp_path):
    experiment = replace(hinted(""), environment=MujobanOptions(levels=LEVELS, perception=expert))
    run = run_folder.create(tmp_path / "run")
    kept = companions.keep(run, experiment)
    assert kept.environment == replace(experiment.environment, perception="./companions/perception")
    found = companions.resolved(kept, run).environment
    assert found == replace(kept.environment, perception=str(run.path / "companions/perception"))
    for name in ("config.json", "policy.npz"):
        copy = run.companions / "perception" / name
        assert copy.read_bytes() == (tmp_path / "expert" / name).read_bytes()
