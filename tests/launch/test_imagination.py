"""What a model imagines is shown beside what is there, and marked where it is wrong."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from agents.cnn.config import CNNConfig
from agents.models.config import EnvironmentModelConfig, ModelConfig
from environments.games.sokoban import rules
from environments.games.sokoban.observations import sprites
from environments.games.sokoban.registration import SokobanOptions
from experiments.base import Experiment
from launch.imagination import STEPS, Imagination, has_model
from launch.policy import Policy
from tests.agents.toy import board_spec, quick_jit
from tests.environments.games.sokoban.boards import level

START = rules.initial_state(level("#####", "#@  #", "# $ #", "#  .#", "#####"))
FRAME = rules.planes(START)


@pytest.fixture(scope="module")
def policy() -> Policy:
    """A model that nobody trained: it is wrong almost everywhere."""
    config = EnvironmentModelConfig(
        model=ModelConfig(channels=2, blocks=0), policy=CNNConfig(layers=1, channels=2, hidden=4)
    )
    spec = board_spec("planes", size=5)
    agent = config.make(spec, 100)
    params = quick_jit(agent.init)(jax.random.key(0)).params
    return Policy(Experiment("it", SokobanOptions(), config), spec, 0, agent, params)


def test_what_is_there_at_first_is_drawn_as_it_is(policy):
    shown = Imagination(policy)
    shown.begin(FRAME)
    np.testing.assert_array_equal(shown.picture(40), sprites(FRAME))
    assert shown.caption == "beside it: imagined"


def test_cells_that_are_not_so_have_a_frame(policy):
    shown = Imagination(policy)
    shown.begin(FRAME)
    shown.step(3, rules.planes(rules.apply(START, 3)))
    imagined, there = shown._frame, shown._real
    wrong = np.any(imagined != there, axis=-1)
    assert wrong.any()
    corners = shown.picture(80)[::16, ::16]
    marked = np.all(corners == (240, 60, 200), axis=-1)
    np.testing.assert_array_equal(marked, wrong)
    assert shown.caption.startswith("beside it: imagined, 1 ahead, reward ")


def test_it_begins_anew_at_what_is_there_after_some_steps(policy):
    shown = Imagination(policy)
    shown.begin(FRAME)
    for _ in range(STEPS):
        shown.step(0, FRAME)
    assert f" {STEPS} ahead" in shown.caption
    once = Imagination(policy)
    once.begin(FRAME)
    for each in (shown, once):
        each.step(0, FRAME)
    assert " 1 ahead" in shown.caption
    np.testing.assert_array_equal(shown._frame, once._frame)


def test_a_model_is_looked_for_where_it_is(policy):
    assert has_model(policy)
    assert not has_model(replace(policy, params={"agent": {}}))
    experiment = replace(policy.experiment, agent=CNNConfig())
    assert not has_model(replace(policy, experiment=experiment))
