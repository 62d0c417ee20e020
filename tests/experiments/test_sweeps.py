"""Sweeps: what they name exists, and their options are understood."""

import re

import pytest

from environments.errors import UserError
from experiments.sweeps import SWEEPS, Sweep, Variant, sweep
from launch import prerequisites, train

A = Variant("a", "sokoban_small")


@pytest.mark.parametrize("name", SWEEPS)
def test_every_variant_is_understood(name):
    assert re.fullmatch(r"[a-z0-9_]+", name)
    for variant in sweep(name).variants:
        arguments = train.parse([variant.experiment, *variant.overrides, "--seed=1"])
        assert isinstance(arguments, train.Arguments)
        assert arguments.experiment.seed == 1


@pytest.mark.parametrize("name", SWEEPS)
def test_what_a_variant_begins_with_fits_it(name):
    variants = {variant.label: variant for variant in sweep(name).variants}
    for variant in variants.values():
        given = [
            f"--prerequisites.{p}={variants[of].experiment}" for p, of in variant.prerequisites
        ]
        arguments = train.parse([variant.experiment, *variant.overrides, *given])
        assert isinstance(arguments, train.Arguments)
        parts = {part for part, _ in variant.prerequisites}
        assert parts == {source.name for source in prerequisites.sources(arguments.experiment)}


def test_the_variants_of_i2a_see_equally_many_frames():
    """Those of the policy and the model that some begin with are counted in."""
    variants = {variant.label: variant for variant in sweep("sokoban_2box_i2a").variants}

    def frames(label: str) -> int:
        arguments = train.parse([variants[label].experiment, *variants[label].overrides])
        assert isinstance(arguments, train.Arguments)
        before = sum(frames(needed) for _, needed in variants[label].prerequisites)
        return arguments.experiment.max_frames + before

    compared = ("i2a", "perfect", "poor", "copy", "model_free")
    assert {frames(label) for label in compared} == {850_000}


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
