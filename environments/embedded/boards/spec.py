"""What a board looks like to the arm: its cells, where they lie, and what may press them.

Shape letters: `H, W` board. Row 0 is the top row, the farthest from the front cameras. All
lengths are in metres, all sizes are half sizes as in MuJoCo.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from environments.errors import UserError

if TYPE_CHECKING:
    from environments.games.board.game import BoardGame

CELL_SPACING = 0.1  # the public boards; smaller where more cells must fit
MIN_SPACING = 0.035  # a finger is about 0.02 wide
MAX_EXTENT = 0.7  # what the arm reaches, about: the 7x7 board
BOARD_TOP_EDGE = 0.27  # the farthest a board may reach towards the arm's base, at y = 0.4

Colour = tuple[float, float, float, float]
RED, BLUE = (1.0, 0.0, 0.0, 0.5), (0.0, 0.0, 1.0, 0.5)
BLACK, WHITE = (0.0, 0.0, 0.0, 0.75), (1.0, 1.0, 1.0, 0.75)

# Games whose cells have six neighbours: how far each row lies to the right of the row above.
_ROW_SHIFTS = {"hex": 0.5, "y": 0.5, "havannah": -0.5}
_BLACK_AND_WHITE = ("gomoku", "othello")
_LINED = ("gomoku",)  # boards drawn as lines


@dataclass(frozen=True)
class BoardSpec:
    """A board of touch-sensing cells. Two equal specs make the same scene.

    Raises UserError, with one line that says why, if the arm could not play on it.
    """

    rows: int
    columns: int
    absent: frozenset[tuple[int, int]] = frozenset()  # cells (row, column) without a tile
    spacing: float = CELL_SPACING  # between the centres of neighbouring cells
    offset: float = 0.0  # y of the board's centre
    row_shift: float = 0.0  # how far each row lies to the right of the row above, in cells
    height: float = 0.01  # half height of a tile, which lies on the ground
    sensitive: float = 0.7  # the part of a cell's width that senses touch, about its centre
    pass_plate: bool = False  # a plate under the board that sticks out left and right
    fingers_only: bool = False  # whether only the fingers' touch counts
    marker_radius: float = 0.025
    marker_height: float = 0.01
    marker_colours: tuple[Colour, Colour] = (RED, BLUE)  # first player, second player
    markers: int = 5  # how many each player may place, what was captured included
    jitter: float = 1.0  # where the opponent's markers lie, as a part of the sensitive width
    checkered: bool = True  # tiles of two colours; else one slab with lines

    def __post_init__(self):
        if not self.cells:
            raise UserError(f"a board must have cells, not {self.rows}x{self.columns}")
        if self.spacing < MIN_SPACING - 1e-9:
            raise UserError(
                f"a board of {self.rows}x{self.columns} does not fit the arm: its cells would be "
                f"{1000 * self.spacing:.0f} mm wide, too small for the fingers, which need "
                f"{1000 * MIN_SPACING:.0f} mm; choose a smaller board"
            )
        if max(self.extent) > MAX_EXTENT + 1e-4:  # m
            raise UserError(
                f"a board of {self.rows}x{self.columns} cells of {1000 * self.spacing:.0f} mm does "
                f"not fit the arm's reach of {MAX_EXTENT} m; choose a smaller board or cells"
            )

    @cached_property
    def cells(self) -> list[tuple[int, int]]:
        """Every cell that has a tile, as (row, column), row by row from the top."""
        return _present(self.rows, self.columns, self.absent)

    @cached_property
    def _bounds(self) -> np.ndarray:
        return _bounds(self.cells, self.row_shift)

    @property
    def extent(self) -> tuple[float, float]:
        """The board's size along y and x."""
        width, height = self.spacing * (self._bounds[1] - self._bounds[0] + 1)
        return float(height), float(width)

    @property
    def tile(self) -> float:
        """Half the width of a tile."""
        return self.spacing / 2

    @property
    def sensor(self) -> float:
        """Half the width of the part that senses touch."""
        return self.sensitive * self.tile

    def centre(self, row: int, column: int) -> np.ndarray:
        """The middle of a cell's upper face, `[3] float64`."""
        right, down = _point(row, column, self.row_shift) - self._bounds.mean(axis=0)
        return np.array([self.spacing * right, self.offset - self.spacing * down, 2 * self.height])

    @property
    def plate(self) -> tuple[float, float, float]:
        """Half sizes of the pass plate, centred under the board at z = 0."""
        height, width = self.extent
        return width, height / 2, self.height / 2


def check_board(spec: BoardSpec, game: "BoardGame") -> None:
    """Raises UserError, one line, unless every action of `game` can be pressed on the board."""
    absent = frozenset((int(row), int(column)) for row, column in np.argwhere(game.absent))
    if (spec.rows, spec.columns) != game.shape or spec.absent != absent:
        rows, columns = game.shape
        raise UserError(
            f"the board of {spec.rows}x{spec.columns} with {len(spec.cells)} cells is not that of "
            f"{game.name}, which has {rows}x{columns} with {rows * columns - len(absent)}"
        )
    if spec.pass_plate != (game.pass_action is not None):
        needs = "needs pass_plate=True: players may pass" if game.pass_action else "has no pass"
        raise UserError(f"the board of {game.name} {needs}")


def _present(rows: int, columns: int, absent: frozenset[tuple[int, int]]) -> list[tuple[int, int]]:
    every = [(row, column) for row in range(rows) for column in range(columns)]
    return [cell for cell in every if cell not in absent]


def _point(row: int, column: int, row_shift: float) -> np.ndarray:
    """How far right and down a cell lies from cell (0, 0), in cells."""
    return np.array([column + row_shift * row, row])


def _bounds(cells: list[tuple[int, int]], row_shift: float) -> np.ndarray:
    """`[2, 2]`: the least and the greatest (right, down) of the cells' centres, in cells."""
    points = [_point(*cell, row_shift) for cell in cells]
    return np.array([np.min(points, axis=0), np.max(points, axis=0)])


def fitted(
    rows: int,
    columns: int,
    *,
    absent: frozenset[tuple[int, int]] = frozenset(),
    row_shift: float = 0.0,
    marker_radius: float = 0.04,
    **fields: Any,
) -> BoardSpec:
    """A board of that many cells, as large as the arm's reach allows, up to 0.1 m a cell.

    `marker_radius` is that on cells of 0.1 m; `fields` are other fields of BoardSpec.
    """
    bounds = _bounds(_present(rows, columns, absent), row_shift)
    across, down = bounds[1] - bounds[0] + 1
    spacing = round(min(CELL_SPACING, MAX_EXTENT / max(across, down)), 6)
    return BoardSpec(
        rows,
        columns,
        absent,
        spacing=spacing,
        offset=min(0.0, round(BOARD_TOP_EDGE - spacing * down / 2, 6)),
        row_shift=row_shift,
        marker_radius=marker_radius * spacing / CELL_SPACING,
        **fields,
    )


TIC_TAC_TOE = BoardSpec(3, 3)


def go_board(size: int) -> BoardSpec:
    """The board of Go; at size 7 that of MuJoGo."""
    return fitted(
        size,
        size,
        pass_plate=True,
        fingers_only=True,
        marker_colours=(BLACK, WHITE),
        markers=2 * size * size,
        jitter=0.25,
        checkered=False,
    )


def board_for(game: "BoardGame") -> BoardSpec:
    """The board on which `game` is played. Raises UserError if it does not fit the arm."""
    rows, columns = game.shape
    if game.parsed.short == "tic_tac_toe":
        return TIC_TAC_TOE
    if game.parsed.short == "go":
        return go_board(rows)
    absent = frozenset((int(row), int(column)) for row, column in np.argwhere(game.absent))
    short = game.parsed.short
    return fitted(
        rows,
        columns,
        absent=absent,
        row_shift=_ROW_SHIFTS.get(short, 0.0),
        pass_plate=game.pass_action is not None,
        fingers_only=True,
        marker_colours=(BLACK, WHITE) if short in _BLACK_AND_WHITE else (RED, BLUE),
        # Where players may pass or turn stones over, one of them may place more than half.
        markers=rows * columns - len(absent),
        jitter=0.25,
        checkered=short not in _LINED,
    )
