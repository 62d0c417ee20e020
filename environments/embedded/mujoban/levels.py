"""Levels as numbers in metres, ready to be written into a compiled scene.

One metre a cell; the board is centred on the origin, columns along x, rows along -y.
"""

import math
from dataclasses import dataclass

import numpy as np

from environments.embedded.mujoban.walls import Rectangle, rectangles
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.rules import PLANES

WALL_HEIGHT = 1.0
BOX_HALF_SIZE = (0.4, 0.4, 0.15)
BALL_RADIUS = 0.2
WALL_SLOTS = 4  # wall geoms come in multiples of it: idle ones cost, and so do more models
PARKED_POS, PARKED_SIZE = (0.0, 0.0, -10.0), (0.5, 0.5, 0.5)  # of walls that a level lacks
_PARKED = (*PARKED_POS, *PARKED_SIZE, math.sqrt(0.75))
Cell = tuple[int, int]  # row, column


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the parts of one level lie. Letters: `N` wall geoms, `K` boxes."""

    index: int  # of the level in its set
    walls: int  # how many of the N the level needs; the others are parked
    wall_pos: np.ndarray  # [N, 3]; N is a multiple of WALL_SLOTS
    wall_size: np.ndarray  # [N, 3], half sizes
    wall_radius: np.ndarray  # [N], of the bounding spheres
    box_pos: np.ndarray  # [K, 3], at the start
    pad_pos: np.ndarray  # [K, 2]
    walker_pos: tuple[float, float]  # at the start
    boxes: tuple[Cell, ...]  # at the start; K
    pads: tuple[Cell, ...]  # K
    player: Cell  # at the start
    planes: np.ndarray  # [H, W, 4] bool: walls and targets, no player, no boxes


def centre(shape: tuple[int, int], row: float, column: float) -> tuple[float, float]:
    """x and y of the middle of a cell."""
    return column - (shape[1] - 1) / 2, (shape[0] - 1) / 2 - row


def place(levels: LevelSet, index: int) -> Placement:
    """The placement of level `index`, straight from the packed boards.

    Written for speed: a level is seldom met twice, so that this is a part of every reset.
    """
    height, width = levels.shape
    planes = np.zeros((height * width, len(PLANES)), bool)
    masks = []
    for words in (levels.walls, levels.targets, levels.boxes):
        octets = words[index].tobytes()
        if len(masks) < 2:
            bits = np.unpackbits(np.frombuffer(octets, np.uint8), bitorder="little")
            planes[:, len(masks)] = bits[: height * width]
        masks.append(int.from_bytes(octets, "little"))
    walls, targets, boxes = masks
    row = (1 << width) - 1
    merged = rectangles([walls >> width * i & row for i in range(height)])
    geoms = [number for rectangle in merged for number in _wall(height, width, rectangle)]
    geoms += _PARKED * (-len(merged) % WALL_SLOTS)
    geoms = np.array(geoms).reshape(-1, len(_PARKED))
    box_cells, pad_cells = _cells(boxes, width), _cells(targets, width)
    top, left = (height - 1) / 2, (width - 1) / 2
    box_pos = [number for r, c in box_cells for number in (c - left, top - r, BOX_HALF_SIZE[2])]
    pad_pos = [number for r, c in pad_cells for number in (c - left, top - r)]
    player = divmod(int(levels.player[index]), width)
    return Placement(
        index=index,
        walls=len(merged),
        wall_pos=geoms[:, :3],
        wall_size=geoms[:, 3:6],
        wall_radius=geoms[:, 6],
        box_pos=np.array(box_pos).reshape(-1, 3),
        pad_pos=np.array(pad_pos).reshape(-1, 2),
        walker_pos=centre(levels.shape, *player),
        boxes=box_cells,
        pads=pad_cells,
        player=player,
        planes=planes.reshape(height, width, -1),
    )


def _wall(height: int, width: int, rectangle: Rectangle) -> tuple[float, ...]:
    """Position, half sizes and bounding radius."""
    top, left, bottom, right = rectangle
    half_x, half_y, half_z = (right - left) / 2, (bottom - top) / 2, WALL_HEIGHT / 2
    radius = math.sqrt(half_x * half_x + half_y * half_y + half_z * half_z)
    x, y = (left + right - width) / 2, (height - top - bottom) / 2
    return x, y, half_z, half_x, half_y, half_z, radius


def _cells(mask: int, width: int) -> tuple[Cell, ...]:
    """The cells whose bits are set, in order."""
    cells = []
    while mask:
        low = mask & -mask
        cells.append(divmod(low.bit_length() - 1, width))
        mask ^= low
    return tuple(cells)
