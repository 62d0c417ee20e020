"""Pictures of abstract boards for people: sprites enlarged, stones on other boards."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from environments.embedded.boards.spec import BLACK as SCENE_BLACK
from environments.embedded.boards.spec import board_for
from environments.games.board.game import BoardState
from environments.games.minipacman import rules as minipacman
from environments.games.minipacman.observations import sprites as maze_sprites
from environments.games.sokoban import rules as sokoban
from environments.games.sokoban.observations import SPRITE_SIZE, sprites

PICTURE_SIDE = 480  # pixels, of pictures for people
BACKGROUND = (24, 24, 28)
_WOOD, _LINE, _PRESENT = (222, 184, 128), (92, 64, 32), (240, 214, 168)
_BLACK, _WHITE, _RIM, _NEW = (28, 28, 30), (246, 244, 238), (60, 52, 44), (240, 150, 30)
_RED, _BLUE = (205, 40, 36), (38, 62, 200)
# Of the planes of a game that nobody draws: what stands in a later plane hides the earlier ones.
_PLANES = np.array([_PRESENT, _LINE, _RED, _BLUE, _NEW, _WHITE, _BLACK], np.uint8)
_Point = tuple[float, float]
_Colour = tuple[int, int, int]
_FINE = 4  # drawn so many times as large, then scaled down: smooth edges


def board_picture(
    state: Any, planes: np.ndarray, side: int, new: np.ndarray | None = None
) -> np.ndarray:
    """The board of a position as a picture `[side, side, 3] uint8`.

    Args:
      state: a position of Sokoban, of MiniPacman, of a board game or of any other game.
      planes: its planes `[H, W, C] bool`; of other games they are drawn as squares of one colour a
        plane.
      side: pixels.
      new: cells `[H, W] bool` whose stones are marked as the newest.
    """
    if isinstance(state, sokoban.State):
        return _enlarged(sprites(planes), side)
    if isinstance(state, minipacman.State):
        return _enlarged(maze_sprites(minipacman.layers(state)), side)
    if not isinstance(state, BoardState):
        return _enlarged(_squares(planes), side)
    return _stones(state, np.zeros(planes.shape[:2], bool) if new is None else new, side)


def frame_picture(frame: np.ndarray, side: int) -> tuple[np.ndarray, int, tuple[int, int]]:
    """A frame that a model imagines, as a picture.

    Args:
      frame: Sokoban's board planes `[H, W, 4] bool`, or one pixel a cell `[H, W, 3] uint8`.
      side: pixels, at least one for each cell.

    Returns:
      The picture `[side, side, 3] uint8`, the side of a cell in it, and where its first cell is:
      left, top.
    """
    tiles = sprites(frame) if frame.dtype == bool else frame
    rows, columns = frame.shape[:2]
    cell = side // max(rows, columns)
    if frame.dtype == bool and cell >= SPRITE_SIZE:
        cell -= cell % SPRITE_SIZE  # square pixels, all alike
    size = cell * columns, cell * rows
    picture = Image.fromarray(tiles).resize(size, Image.Resampling.NEAREST)
    return _centred(picture, side), cell, ((side - size[0]) // 2, (side - size[1]) // 2)


def _squares(planes: np.ndarray) -> np.ndarray:
    """A pixel a cell, `[H, W, 3] uint8`, of planes `[H, W, C] bool`."""
    numbers = np.arange(1, planes.shape[-1] + 1)
    last = (planes * numbers).max(axis=-1)
    return _PLANES[np.where(last, 1 + (last - 1) % (len(_PLANES) - 1), 0)]


def _enlarged(sprites: np.ndarray, side: int) -> np.ndarray:
    picture = Image.fromarray(sprites)
    scale = side / max(picture.size)
    if scale >= 1:  # square pixels, all alike
        size = picture.width * int(scale), picture.height * int(scale)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    else:
        size = int(picture.width * scale), int(picture.height * scale)
        picture = picture.resize(size, Image.Resampling.BOX)
    return _centred(picture, side)


def _stones(state: BoardState, new: np.ndarray, side: int) -> np.ndarray:
    spec, planes = board_for(state.game), state.planes
    # Cells lie as in the scene, where rows may be shifted against each other.
    right = {cell: cell[1] + spec.row_shift * cell[0] for cell in spec.cells}
    left, top = min(right.values()), min(row for row, _ in spec.cells)
    columns = max(right.values()) - left + 1
    rows = max(row for row, _ in spec.cells) - top + 1
    cell = int(side * _FINE / max(rows, columns))
    picture = Image.new("RGB", (round(cell * columns), cell * rows), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    if not spec.checkered:
        _lines(draw, spec.rows, spec.columns, cell)
    colours = (_BLACK, _WHITE) if spec.marker_colours[0] == SCENE_BLACK else (_RED, _BLUE)
    crosses = state.game.parsed.short in ("tic_tac_toe", "mnk")
    for row, column in spec.cells:
        x, y = (right[row, column] - left) * cell, (row - top) * cell
        if spec.checkered:
            _square(draw, (x, y), cell)
        _, first, second = planes[row, column]
        if first or second:
            middle = x + cell / 2, y + cell / 2
            mark = _stone if not crosses else _cross if first else _ring
            mark(draw, middle, cell, colours[0 if first else 1])
            if new[row, column] and not crosses:
                _disc(draw, middle, cell * 0.1, _NEW)
    size = picture.width // _FINE, picture.height // _FINE
    return _centred(picture.resize(size, Image.Resampling.LANCZOS), side)


def _lines(draw: ImageDraw.ImageDraw, rows: int, columns: int, cell: int) -> None:
    """Wood, and a line through the middles of each row and each column."""
    draw.rectangle((0, 0, cell * columns, cell * rows), _WOOD)
    half, thick = cell / 2, max(_FINE, cell // 40)
    for i in range(rows):
        draw.line((half, half + i * cell, columns * cell - half, half + i * cell), _LINE, thick)
    for j in range(columns):
        draw.line((half + j * cell, half, half + j * cell, rows * cell - half), _LINE, thick)


def _square(draw: ImageDraw.ImageDraw, corner: _Point, cell: int) -> None:
    (x, y), thick = corner, max(_FINE, cell // 40)
    draw.rectangle((x, y, x + cell - 1, y + cell - 1), _PRESENT, _LINE, thick)


def _stone(draw: ImageDraw.ImageDraw, middle: _Point, cell: int, colour: _Colour) -> None:
    _disc(draw, middle, cell * 0.43, _RIM)
    _disc(draw, middle, cell * 0.41, colour)


def _cross(draw: ImageDraw.ImageDraw, middle: _Point, cell: int, colour: _Colour) -> None:
    (x, y), reach, thick = middle, cell * 0.28, round(cell * 0.1)
    draw.line((x - reach, y - reach, x + reach, y + reach), colour, thick)
    draw.line((x - reach, y + reach, x + reach, y - reach), colour, thick)


def _ring(draw: ImageDraw.ImageDraw, middle: _Point, cell: int, colour: _Colour) -> None:
    (x, y), reach, thick = middle, cell * 0.28, round(cell * 0.1)
    draw.ellipse((x - reach, y - reach, x + reach, y + reach), None, colour, thick)


def _disc(draw: ImageDraw.ImageDraw, middle: _Point, radius: float, colour: _Colour) -> None:
    x, y = middle
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)


def _centred(picture: Image.Image, side: int) -> np.ndarray:
    square = Image.new("RGB", (side, side), BACKGROUND)
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return np.array(square)
