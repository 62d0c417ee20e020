"""Sweeps: what they name exists, and their options are understood."""

import re

import pytest

from environments.errors import UserError
from experiments.sweeps import SWEEPS, Sweep, Variant, sweep
from launch import train

A = Variant("a", "sokoban_small")


@pytest.mark.parametrize("name", SWEEPS)
def test_every_variant_is_understood(name):
    assert re.fullmatch(r"[a-z0-9_]+", name)
    for variant in sweep(name).variants:
        arguments = train.parse([variant.experiment, *variant.overrides, "--seed=1"])
        assert isinstance(arguments, train.Arguments)
        assert arguments.experiment.seed == 1


def test_an_unknown_sweep_is_refused():
    with pytest.raises(UserError, match="did you mean 'sokoban_small'"):
        sweep("sokoban_smal")


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ((A, A), "'a' is used twice"),
        ((Variant("a/b", "sokoban_small"),), "must be the name of a folder"),
        ((Variant("..", "sokoban_small"),), "must be the name of a folder"),
        ((Variant("", "sokoban_small"),), "must be the name of a folder"),
        ((Variant("b", "x", prerequisites=(("model", "a"),)), A), "must come before"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(variants, said):
    with pytest.raises(UserError, match=said):
        Sweep("summary", variants)
