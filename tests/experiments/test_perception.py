"""Experiments that see: their agents can be made, and learn from one camera the board it shows."""

from dataclasses import replace
from typing import Any

import pytest

from agents.inputs import input_keys
from environments.embedded.mujoban.registration import MujobanOptions
from environments.registry import name_of
from experiments import registry
from launch.suite_options import on_suite
from tests.agents.perception.scenes import rendered

NAMES = (
    "mujoban_perception_top",
    "mujoban_perception_egocentric",
    "mujoxo_perception",
    "mujogo_perception",
)


@pytest.mark.parametrize("name", NAMES)
def test_the_agent_can_be_made_and_sees(name):
    experiment = registry.load(name)
    options: Any = experiment.environment
    for suite in experiment.evaluation.suites:
        on_suite(options, suite)
    if isinstance(options, MujobanOptions):  # the same with fewer levels: those take a minute
        options = replace(options, levels=options.levels.replace("count=5000", "count=2"))
    with rendered(name_of(options), **vars(options)) as environment:
        spec = environment.spec
    experiment.agent.make(spec, experiment.max_frames)
    keys = input_keys(spec.observation)
    assert len(keys.cameras) == 1
    told = {"planes", "legal_actions", "markers/position", "pixels"} & set(spec.observation)
    assert told == {"planes"}
