"""An experiment survives JSON; a mistake in the file is named by its key."""

import dataclasses
import json

import pytest

import agents.registry
import environments.registry
from agents.resnet.config import ResNetConfig
from environments.errors import UserError
from environments.games.sokoban.registration import SokobanOptions
from experiments import registry
from experiments.base import Evaluation, Experiment, Runner
from launch import configuration

CHANGED = Experiment(
    name="mine",
    environment=SokobanOptions(
        levels="generated:size=6,boxes=1,count=100,seed=0",
        observations=("planes", "pixels"),
        time_limit=(3, 5),
        noop=True,
    ),
    agent=ResNetConfig(stages=(8, 16), learning_rate=1 / 3),
    runner=Runner(checkpoint_minutes=0.1),
    evaluation=Evaluation(suites=("a", "b"), every_frames=7),
    max_frames=123,
    max_minutes=1.5,
    seed=4,
)


def _document(**changes) -> dict:
    return json.loads(json.dumps(configuration.to_json(CHANGED))) | changes


def test_round_trip_through_a_file(tmp_path):
    configuration.save(CHANGED, tmp_path / "config.json")
    assert configuration.load(tmp_path / "config.json") == CHANGED


def test_every_registered_experiment_survives():
    for function in registry.experiments().values():
        experiment = function()
        document = json.loads(json.dumps(configuration.to_json(experiment)))
        assert configuration.from_json(document) == experiment


def test_every_registered_class_survives():
    for entry in environments.registry.entries().values():
        for config in agents.registry.configs().values():
            made = dataclasses.replace(CHANGED, environment=entry.options(), agent=config())
            assert configuration.from_json(configuration.to_json(made)) == made


def test_document():
    document = _document()
    assert document["experiment"] == "mine"
    assert "name" not in document
    assert document["environment"]["name"] == "sokoban"
    assert document["environment"]["observations"] == ["planes", "pixels"]
    assert document["agent"]["name"] == "resnet"
    assert document["agent"]["learning_rate"] == 1 / 3


def test_a_key_of_a_later_version_has_its_default():
    document = _document()
    del document["agent"]["hidden"], document["runner"], document["seed"]
    expected = dataclasses.replace(
        CHANGED, agent=ResNetConfig(stages=(8, 16), learning_rate=1 / 3), runner=Runner(), seed=0
    )
    assert configuration.from_json(document) == expected


def test_a_whole_number_may_stand_for_a_float():
    experiment = configuration.from_json(_document(max_minutes=2))
    assert experiment.max_minutes == 2.0
    assert isinstance(experiment.max_minutes, float)


WRONG = [
    ({"max_frame": 3}, "there is no key 'max_frame'; did you mean 'max_frames'"),
    ({"agent": {"name": "drc", "dept": 3}}, "no key agent.* 'dept'; did you mean 'depth'"),
    ({"agent": {"name": "dcr"}}, "there is no agent 'dcr'; did you mean 'drc'"),
    ({"environment": {"name": "socoban"}}, "no environment 'socoban'; did you mean 'sokoban'"),
    ({"agent": {"depth": 3}}, "agent.name must be str, not null"),
    ({"agent": "drc"}, 'agent must be an object, not "drc"'),
    ({"agent": {"name": "drc", "depth": "3"}}, 'agent.depth must be int, not "3"'),
    ({"agent": {"name": "drc", "depth": 3.0}}, "agent.depth must be int, not 3.0"),
    ({"agent": {"name": "drc", "depth": True}}, "agent.depth must be int, not true"),
    ({"agent": {"name": "drc", "variant": "opne"}}, "agent.variant 'opne'; did you mean 'open'"),
    ({"agent": {"name": "drc", "discount": 1.5}}, "agent.discount must be between 0 and 1"),
    ({"agent": {"name": "resnet", "stages": [8, "x"]}}, 'agent.stages[1] must be int, not "x"'),
    ({"environment": {"name": "sokoban", "time_limit": [3]}}, "a list of 2, not [3]"),
    ({"environment": {"name": "sokoban", "time_limit": 3}}, "time_limit must be a list, not 3"),
    ({"environment": {"name": "sokoban", "noop": 1}}, "environment.noop must be bool, not 1"),
    ({"max_frames": -5}, "max_frames must be at least 1, not -5"),
    ({"runner": {"kind": "cloud"}}, "there is no runner.kind 'cloud'"),
]


@pytest.mark.parametrize(("changes", "said"), WRONG)
def test_a_mistake_is_named(tmp_path, changes, said):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(_document(**changes)))
    with pytest.raises(UserError) as caught:
        configuration.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["agent", "environment"])
def test_what_has_no_default_must_be_there(missing):
    document = _document()
    del document[missing]
    with pytest.raises(UserError, match=f"{missing} is missing"):
        configuration.from_json(document)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON"),
        (b'{"experiment": ', "is not JSON: Expecting value: line 1 column 16"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[]", "has no key 'experiment'"),
        (None, "no such file"),
    ],
)
def test_files_that_are_no_configuration(tmp_path, content, said):
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        configuration.load(path)
    with pytest.raises(UserError, match="is a directory"):
        configuration.load(tmp_path)
