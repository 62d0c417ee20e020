"""Colours: which there are, what hides what, and that both faces show the same."""

import jax
import jax.numpy as jnp
import numpy as np

from environments.games.minipacman import palette, rules
from environments.games.minipacman.maze import WALLS
from environments.games.minipacman.observations import SPRITES, observe, stacked
from tests.environments.games.minipacman.states import anything, at, state

COLOURS = {
    "empty": (0, 0, 0),
    "wall": (255, 255, 255),
    "food": (0, 0, 255),
    "pill": (0, 255, 255),
    "player": (0, 255, 0),
    "ghost": (255, 0, 0),
    "edible_1": (255, 64, 0),
    "edible_2": (255, 128, 0),
    "edible_3": (255, 191, 0),
    "edible_4": (255, 255, 0),
}


def frame(moment: rules.State) -> np.ndarray:
    return observe(("pixels",), rules.layers(moment), np)["pixels"]


def test_the_palette():
    table = dict(zip(palette.CLASSES, map(tuple, palette.PALETTE.tolist()), strict=True))
    assert table == COLOURS
    assert palette.NUM_COLOURS == len(set(COLOURS.values())) == len(SPRITES) == 10
    assert [palette.CLASSES[index] for index in palette.GHOST_CLASSES] == [
        "ghost", "edible_1", "edible_2", "edible_3", "edible_4",
    ]  # fmt: skip


def test_what_hides_what():
    cell, beside = at(3, 5), at(3, 6)
    under = {"food": (cell, beside), "pills": (cell,)}
    shown = frame(state(cell, (cell, 0), **under))
    assert tuple(shown[3, 5]) == COLOURS["ghost"]
    assert tuple(shown[3, 6]) == COLOURS["food"]
    assert tuple(shown[0, 0]) == COLOURS["wall"]
    assert tuple(shown[1, 1]) == COLOURS["empty"]
    assert tuple(frame(state(cell, (cell, 0), power=20, **under))[3, 5]) == COLOURS["player"]
    assert tuple(frame(state(beside, **under))[3, 5]) == COLOURS["pill"]
    for power, name in ((20, "edible_4"), (15, "edible_3"), (6, "edible_2"), (5, "edible_1")):
        shown = frame(state(beside, (cell, 0), power=power, **under))
        assert tuple(shown[3, 5]) == COLOURS[name]


def test_frames_and_classes_are_the_same_thing():
    rng = np.random.default_rng(0)
    moments = [anything(rng, 1 + index % 10) for index in range(30)]
    layers = [np.stack(each) for each in zip(*map(rules.layers, moments), strict=True)]
    classes, frames = palette.classes(layers), palette.pixels(layers)
    assert classes.shape == (30, *WALLS.shape)
    assert classes.dtype == frames.dtype == np.uint8
    np.testing.assert_array_equal(palette.PALETTE[classes], frames)
    for name in COLOURS:
        here = (frames == COLOURS[name]).all(-1)
        np.testing.assert_array_equal(here, classes == palette.CLASSES.index(name))
        assert here.any()
    theirs = [jnp.asarray(layer) for layer in layers]

    @jax.jit
    def through(layers):
        return palette.classes(layers, jnp), palette.pixels(layers, jnp), stacked(layers)

    found = through(theirs)
    for ours, each in zip((classes, frames, stacked(layers)), found, strict=True):
        np.testing.assert_array_equal(ours, each)
        assert ours.dtype == each.dtype
    for index, layer in enumerate(layers):
        np.testing.assert_array_equal(layer, stacked(layers)[..., index])
