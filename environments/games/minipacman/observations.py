"""What MiniPacman shows: board planes as they are, one pixel per cell, or sprites of 8x8 pixels.

Shape letters: `H, W` maze, `C` planes. Layers are the planes one by one, each `[..., H, W] bool`;
they may be NumPy or JAX arrays, and `xp` is `numpy` or `jax.numpy` accordingly.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from dm_env import specs

from environments.errors import unknown
from environments.games.minipacman.maze import HEIGHT, WIDTH
from environments.games.minipacman.palette import CLASSES, GHOST_CLASSES, PALETTE, classes, pixels
from environments.games.minipacman.registration import OBSERVATION_KINDS
from environments.games.minipacman.rules import PLANES

Array = Any  # numpy.ndarray or jax.Array
SPRITE_SIZE = 8  # pixels a side

# empty, wall, food, pill, player, ghost; "o" is the colour of the class, the rest shades of it.
_ART = """
........  xxxxxxx.  ........  ........  ........  ........
........  xxxxxxx.  ........  ...oo...  ..oooo..  ..oooo..
........  xxxxxxx.  ........  ..oooo..  .oooo...  .oooooo.
........  ........  ...oo...  .oooooo.  ooooo...  .o..o..o
........  xxx.xxxx  ...oo...  .oooooo.  oooo....  .oo.oo.o
........  xxx.xxxx  ........  ..oooo..  ooooo...  .ooooooo
........  xxx.xxxx  ........  ...oo...  .oooo...  .ooooooo
........  ........  ........  ........  ..oooo..  .o.oo.oo
"""
_SPRITE_COLOURS = {"wall": (96, 96, 120), "food": (110, 130, 255)}


def _draw() -> np.ndarray:
    columns = [*zip(*(row.split() for row in _ART.split("\n")[1:-1]), strict=True)]
    sprites = np.zeros((len(CLASSES), SPRITE_SIZE, SPRITE_SIZE, 3), np.uint8)
    for index, name in enumerate(CLASSES):
        art = columns[min(index, GHOST_CLASSES[0])]
        inked = np.array([[letter != "." for letter in row] for row in art])
        sprites[index][inked] = _SPRITE_COLOURS.get(name, PALETTE[index])
    return sprites


SPRITES = _draw()
"""`[K, 8, 8, 3] uint8`, in the order of `palette.CLASSES`."""


def sprites(layers: Sequence[Array], xp: Any = np) -> Array:
    """8x8 pixels per cell: `[..., 8H, 8W, 3] uint8`."""
    tiles = xp.asarray(SPRITES)[classes(layers, xp)]  # [..., H, W, 8, 8, 3]
    *lead, height, width, _, _, _ = tiles.shape
    rows = xp.moveaxis(tiles, -3, -4)  # [..., H, 8, W, 8, 3]
    return rows.reshape(*lead, SPRITE_SIZE * height, SPRITE_SIZE * width, 3)


def stacked(layers: Sequence[Array]) -> Array:
    """Board planes `[..., H, W, C] bool`.

    In JAX four planes are put together as the bytes of a word, and the words then read as bytes,
    which XLA does faster than laying planes side by side.
    """
    if isinstance(layers[0], np.ndarray):
        return np.stack(layers, axis=-1)
    import jax.numpy as jnp  # NumPy's users need no JAX
    from jax import lax

    words = []
    for begin in range(0, len(layers), 4):
        octets = layers[begin : begin + 4]
        word = octets[0].astype(jnp.uint32)
        for byte, plane in enumerate(octets[1:], 1):
            word |= plane.astype(jnp.uint32) << (8 * byte)
        words.append(word)
    octets = lax.bitcast_convert_type(jnp.stack(words, axis=-1), jnp.uint8)
    return octets.reshape(*octets.shape[:-2], -1)[..., : len(layers)].astype(bool)


def observe(kinds: Iterable[str], layers: Sequence[Array], xp: Any = np) -> dict[str, Array]:
    """The observation that holds `kinds`."""
    makers = {"planes": lambda layers, xp: stacked(layers), "pixels": pixels, "sprites": sprites}
    return {kind: makers[kind](layers, xp) for kind in kinds}


def observation_spec(kind: str) -> specs.Array:
    """The spec of one kind of observation. Raises UserError if there is no such kind."""
    if kind == "planes":
        return specs.Array((HEIGHT, WIDTH, len(PLANES)), bool, name=kind)
    if kind == "pixels":
        return specs.BoundedArray((HEIGHT, WIDTH, 3), np.uint8, 0, 255, name=kind)
    if kind == "sprites":
        size = (SPRITE_SIZE * HEIGHT, SPRITE_SIZE * WIDTH, 3)
        return specs.BoundedArray(size, np.uint8, 0, 255, name=kind)
    raise unknown("observation kind", kind, OBSERVATION_KINDS)
