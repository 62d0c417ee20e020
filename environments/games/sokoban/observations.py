"""What Sokoban shows: board planes as they are, one pixel per cell, or sprites of 8x8 pixels.

Shape letters: `H, W` board. Every function takes any leading dimensions, and NumPy arrays or
JAX arrays alike: `xp` is `numpy` or `jax.numpy`, whichever made the planes.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from dm_env import specs

from environments.errors import unknown
from environments.games.sokoban.registration import OBSERVATION_KINDS
from environments.games.sokoban.rules import PLANES

Array = Any  # numpy.ndarray or jax.Array
SPRITE_SIZE = 8  # pixels a side

# What a cell shows, in this order everywhere; in `pixels` the player hides a target under it.
CELLS = ("floor", "wall", "target", "box", "box on target", "player", "player on target")
BLACK, GREY, RED, YELLOW, GREEN, BLUE = (
    (0, 0, 0), (128, 128, 128), (255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 0, 255),
)  # fmt: skip
COLOURS = np.array([BLACK, GREY, RED, YELLOW, GREEN, BLUE, BLUE], np.uint8)
"""`[7, 3] uint8`, in the order of CELLS: the pixel layer of MuJoBan (Mirza et al. 2020)."""

_PACKED_COLOURS = [np.uint32(r | g << 8 | b << 16) for r, g, b in COLOURS.tolist()]

_PALETTE = {
    ".": (24, 24, 28),  # floor
    ",": (40, 40, 48),  # floor, lighter
    "#": (118, 112, 106),  # brick
    "+": (142, 136, 130),  # brick, lit
    "-": (62, 58, 56),  # mortar
    "r": (214, 54, 54),  # target
    "Y": (236, 180, 62),  # box, lit
    "y": (202, 142, 40),  # box
    "o": (124, 78, 22),  # box, edge
    "G": (130, 220, 96),  # box on target, lit
    "g": (72, 172, 64),  # box on target
    "d": (28, 92, 36),  # box on target, edge
    "b": (64, 118, 232),  # player
    "B": (36, 70, 160),  # player, shaded
    "s": (244, 206, 164),  # player, skin
}
# floor, wall, target, box, player
_ART = """
.......,  +++-++++  ........  oooooooo  ........
........  ###-####  .r....r.  oYYYYYYo  ..bbbb..
........  ###-####  ..r..r..  oYoyyoyo  ..ssss..
........  --------  ...rr...  oYyooyyo  ..ssss..
........  +++++++-  ...rr...  oYyooyyo  .bbbbbb.
........  #######-  ..r..r..  oYoyyoyo  .sbbbbs.
........  #######-  .r....r.  oyyyyyyo  ..bBBb..
,.......  --------  ........  oooooooo  ..B..B..
"""


def _draw() -> np.ndarray:
    columns = zip(*(row.split() for row in _ART.split("\n")[1:-1]), strict=True)
    floor, wall, target, box, player = ("".join(column) for column in columns)
    box_on_target = box.translate(str.maketrans("Yyo", "Ggd"))
    over = "".join(t if p == "." else p for p, t in zip(player, target, strict=True))
    art = (floor, wall, target, box, box_on_target, player, over)
    sprites = np.array([[_PALETTE[letter] for letter in each] for each in art], np.uint8)
    return sprites.reshape(-1, SPRITE_SIZE, SPRITE_SIZE, 3)


SPRITES = _draw()
"""`[7, 8, 8, 3] uint8`, in the order of CELLS."""


def cells(planes: Array, xp: Any = np) -> Array:
    """What every cell shows: `[..., H, W, 4] bool` to `[..., H, W] uint8`, indices into CELLS."""
    wall, target, player, box = (planes[..., i] for i in range(len(PLANES)))
    on_target = target.astype(xp.uint8)
    still = xp.where(box, 3 + on_target, xp.where(target, 2, wall).astype(xp.uint8))
    return xp.where(player, 5 + on_target, still)


def pixels(planes: Array, xp: Any = np) -> Array:
    """One pixel per cell: `[..., H, W, 4] bool` to `[..., H, W, 3] uint8`.

    Selects among colours packed into words, which XLA does faster than looking them up.
    """
    wall, target, player, box = (planes[..., i] for i in range(len(PLANES)))
    floor_, wall_, target_, box_, box_on_target, player_, _ = _PACKED_COLOURS
    still = xp.where(target, target_, xp.where(wall, wall_, floor_))
    words = xp.where(box, xp.where(target, box_on_target, box_), still)
    words = xp.where(player, player_, words)
    if isinstance(words, np.ndarray):
        return words[..., None].view(np.uint8)[..., :3].copy()
    from jax import lax  # NumPy's users need no JAX

    return lax.bitcast_convert_type(words, np.uint8)[..., :3]


def sprites(planes: Array, xp: Any = np) -> Array:
    """8x8 pixels per cell: `[..., H, W, 4] bool` to `[..., 8H, 8W, 3] uint8`."""
    *lead, height, width, _ = planes.shape
    tiles = xp.asarray(SPRITES)[cells(planes, xp)]  # [..., H, W, 8, 8, 3]
    rows = xp.moveaxis(tiles, -3, -4)  # [..., H, 8, W, 8, 3]
    return rows.reshape(*lead, SPRITE_SIZE * height, SPRITE_SIZE * width, 3)


_MAKERS = {"planes": lambda planes, xp: planes, "pixels": pixels, "sprites": sprites}


def observe(kinds: Iterable[str], planes: Array, xp: Any = np) -> dict[str, Array]:
    """The observation that holds `kinds`, from board planes `[..., H, W, 4] bool`."""
    return {kind: _MAKERS[kind](planes, xp) for kind in kinds}


def observation_spec(kind: str, shape: tuple[int, int]) -> specs.Array:
    """The spec of one kind of observation of a board `(H, W)`.

    Raises UserError if there is no such kind.
    """
    height, width = shape
    if kind == "planes":
        return specs.Array((height, width, len(PLANES)), bool, name=kind)
    if kind == "pixels":
        return specs.BoundedArray((height, width, 3), np.uint8, 0, 255, name=kind)
    if kind == "sprites":
        size = (SPRITE_SIZE * height, SPRITE_SIZE * width, 3)
        return specs.BoundedArray(size, np.uint8, 0, 255, name=kind)
    raise unknown("observation kind", kind, OBSERVATION_KINDS)
