"""Names of experiments, and that each of them can be built and written down."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from environments.errors import UserError
from experiments import registry
from experiments.base import Evaluation, Experiment, Runner

NAMES = {
    "go_7x7",
    "sokoban_small",
    "sokoban_small_cnn",
    "sokoban_2box",
    "sokoban_boxoban",
    "sokoban_boxoban_drc11",
    "sokoban_boxoban_resnet",
    "sokoban_model",
    "sokoban_model_policy",
    "sokoban_2box_i2a_policy",
    "sokoban_2box_i2a_model",
    "sokoban_2box_i2a_poor_model",
    "sokoban_boxoban_model",
    "sokoban_boxoban_model_policy",
    "sokoban_i2a",
    "sokoban_2box_i2a",
    "sokoban_2box_i2a_perfect",
    "sokoban_2box_i2a_poor",
    "sokoban_2box_i2a_copy",
    "sokoban_2box_i2a_model_free",
    "tic_tac_toe_small",
    "minipacman_cnn",
    "mujoban_tiny_hinted",
    "mujoxo_press",
    "mujoxo_press_demonstrated",
    "mujoxo_win1",
    "mujoxo_win1_unhinted",
    "mujoxo_hinted",
}


def test_the_experiments_there_are():
    known = registry.experiments()
    assert set(known) >= NAMES
    assert registry.DEFAULT in known
    for name, function in known.items():
        assert registry.load(name).name == name
        assert (function.__doc__ or "").strip().endswith(".")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_experiment_asks_for_an_agent_that_can_be_made(name):
    from agents.base import OnPolicy
    from environments.games.sokoban.registration import SokobanOptions
    from environments.games.sokoban.spec import sokoban_spec
    from environments.registry import build_batched, build_vector, entry, name_of
    from experiments.suites import SUITES
    from launch.suite_options import on_suite

    experiment = registry.load(name)
    options = experiment.environment
    if isinstance(options, SokobanOptions):  # whose levels may not be here
        spec = sokoban_spec((10, 10), options)
    elif entry(name_of(options)).batched is not None:
        spec = build_batched(options).spec
    else:
        with build_vector(options, 1) as worlds:
            spec = worlds.spec
    agent = experiment.agent.make(spec, experiment.max_frames)
    if experiment.runner.kind == "device":  # which supplies nothing else
        assert isinstance(agent.data, OnPolicy)
    for suite in experiment.evaluation.suites:
        suited = on_suite(options, suite)  # a registered one, or an opponent
        assert not suite or suite in (getattr(suited, "opponent", None), *SUITES)


def test_no_experiment_writes_more_rows_than_can_be_read():
    for experiment in map(registry.load, registry.experiments()):
        assert experiment.max_frames / experiment.runner.log_frames <= 20_000, experiment.name


def test_experiments_that_others_begin_with_exist_and_fit():
    from launch.prerequisites import sources

    found = {name: sources(registry.load(name)) for name in registry.experiments()}
    assert {source.name for source in found["sokoban_model"]} == {"policy"}
    for name, several in found.items():
        for source in several:
            assert source.run is None
            assert source.experiment.environment == registry.load(name).environment


def test_an_unknown_experiment_is_told_the_nearest_name():
    with pytest.raises(UserError, match="no experiment 'sokoban_smal'; did you mean 'sokoban_sm"):
        registry.load("sokoban_smal")


def test_a_name_is_registered_once():
    def sokoban_small() -> Experiment:
        raise AssertionError

    with pytest.raises(ValueError, match="registered twice"):
        registry.register(sokoban_small)


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        (Runner, "log_frames", 0),
        (Runner, "checkpoint_minutes", -1.0),
        (Runner, "keep_checkpoints", 0),
        (Evaluation, "episodes", -1),
        (Evaluation, "every_frames", -1),
    ],
)
def test_a_wrong_value_is_refused_by_name(part, field, value):
    with pytest.raises(UserError, match=rf"{part.__name__.lower()}\.{field} must be at least"):
        part(**{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_frames", 0),
        ("max_frames", -5),
        ("max_frames", 4_000_000_001),
        ("max_minutes", -1.0),
        ("seed", -1),
    ],
)
def test_a_wrong_budget_is_refused_by_name(field, value):
    small = registry.load("sokoban_small")
    with pytest.raises(UserError, match=rf"{field} must be at (least|most) .*not {value}"):
        Experiment("x", small.environment, small.agent, **{field: value})


def test_hints_and_agent_have_one_discount():
    for name in registry.experiments():
        registry.load(name).check_discounts()
    hinted: Any = registry.load("mujoxo_press")
    other: Any = replace(hinted, agent=replace(hinted.agent, discount=0.97))
    with pytest.raises(UserError, match=r"set environment\.hints\.discount to 0\.97"):
        other.check_discounts()
    unpaid = replace(other.environment.hints, shaping=0.0)
    replace(other, environment=replace(other.environment, hints=unpaid)).check_discounts()


def test_the_count_of_frames_has_room_for_the_last_row():
    small = registry.load("sokoban_small")
    with pytest.raises(UserError, match="log_frames must be at most 100000000, not 100000001"):
        Runner(log_frames=100_000_001)
    greatest = Experiment("x", small.environment, small.agent, max_frames=4_000_000_000)
    assert greatest.max_frames + Runner(log_frames=100_000_000).log_frames < 2**32


def test_an_unknown_suite_is_told_the_nearest_name_and_a_source_is_taken_as_it_is():
    from experiments.suites import levels_of

    with pytest.raises(UserError, match="no suite 'small_heldout'; did you mean 'small_held_out'"):
        levels_of("small_heldout")
    with pytest.raises(UserError, match="'boxes' is several suites: give one of boxes_1, boxes_2"):
        levels_of("boxes")
    for source in ("levels/mine.txt", "mine.txt", "generated:size=6,boxes=1,count=5,seed=0"):
        assert levels_of(source) == source
    assert levels_of("hard") == "boxoban:hard"


def test_importing_experiments_loads_no_jax():
    command = (
        "import sys; from experiments import registry; registry.experiments(); "
        "assert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", command], check=True)
