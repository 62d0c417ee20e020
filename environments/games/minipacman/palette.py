"""The colours of a frame: a few classes of cells, which a learned model tells apart.

Shape letters: `H, W` maze, `K` classes. Every function takes any leading dimensions, and NumPy or
JAX arrays alike: `xp` is `numpy` or `jax.numpy`, whichever made its argument.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from environments.games.minipacman.rules import PLANES, SHADES

Array = Any  # numpy.ndarray or jax.Array

CLASSES = ("empty", *PLANES)
"""What a cell shows, by class. Of several things that which is named first: a dangerous ghost, the
player, an edible ghost, a pill, food."""

GHOST_CLASSES = tuple(range(CLASSES.index("ghost"), len(CLASSES)))
"""The classes whose cells depend on chance: ghosts, dangerous or edible."""

# In the paper an edible ghost fades from yellow to red as the power runs out. Ours fades in four
# shades, one for each quarter of the power, so that colours are few enough to be predicted.
PALETTE = np.array(
    [
        (0, 0, 0),
        (255, 255, 255),  # wall
        (0, 0, 255),  # food
        (0, 255, 255),  # pill
        (0, 255, 0),  # player
        (255, 0, 0),  # ghost
        *((255, round(255 * (k + 1) / SHADES), 0) for k in range(SHADES)),  # edible
    ],
    np.uint8,
)
"""`[K, 3] uint8`: the colour of each class."""

NUM_COLOURS = len(PALETTE)
_WORDS = [np.uint32(r | g << 8 | b << 16) for r, g, b in PALETTE.tolist()]


def classes(layers: Sequence[Array], xp: Any = np) -> Array:
    """What every cell shows: of each plane a `[..., H, W] bool`, to `[..., H, W] uint8`."""
    return _selected(layers, [np.uint8(index) for index in range(NUM_COLOURS)], xp)


def pixels(layers: Sequence[Array], xp: Any = np) -> Array:
    """One pixel per cell: of each plane a `[..., H, W] bool`, to `[..., H, W, 3] uint8`."""
    return _unpacked(_selected(layers, _WORDS, xp))


def _selected(layers: Sequence[Array], values: Sequence[Any], xp: Any) -> Array:
    """Of `values`, one for each class, that of what is on top in each cell."""
    empty, wall_, food_, pill_, player_, ghost_, *edible_ = values
    wall, food, pill, player, ghost, *edible = layers
    shown = xp.where(food, food_, xp.where(wall, wall_, empty))
    shown = xp.where(pill, pill_, shown)
    for plane, value in zip(edible, edible_, strict=True):
        shown = xp.where(plane, value, shown)
    return xp.where(ghost, ghost_, xp.where(player, player_, shown))


def _unpacked(words: Array) -> Array:
    """Colours packed into words, `[..., H, W] uint32` to `[..., H, W, 3] uint8`."""
    if isinstance(words, np.ndarray):
        return words[..., None].view(np.uint8)[..., :3].copy()
    from jax import lax  # NumPy's users need no JAX

    return lax.bitcast_convert_type(words, np.uint8)[..., :3]
