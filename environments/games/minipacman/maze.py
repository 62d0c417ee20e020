"""The maze, and tables of where one can go in it.

A cell is a number, row * 19 + column; a direction is an action that moves: 1 right, 2 up, 3 left,
4 down; 0 is none.
"""

import numpy as np

# Fifteen rows of nineteen cells with border walls, left and right alike, around a block in the
# middle, as the I2A paper describes its own; which corridors there are is our choice. None ends
# blindly: a ghost can always go on.
_DRAWING = """
###################
#        #        #
# ## ### # ### ## #
#                 #
# ## # ##### # ## #
#    #   #   #    #
# ## ### # ### ## #
#  #           #  #
## # # ##### # # ##
#    # ##### #    #
# ## # ##### # ## #
#                 #
# ## ### # ### ## #
#        #        #
###################
"""
WALLS = np.array([[cell == "#" for cell in row] for row in _DRAWING.split("\n")[1:-1]])
"""`[15, 19] bool`."""

HEIGHT, WIDTH = WALLS.shape
NUM_CELLS = HEIGHT * WIDTH
MOVES = ((0, 0), (0, 1), (-1, 0), (0, -1), (1, 0))  # row, column; by action
OFFSETS = tuple(row * WIDTH + column for row, column in MOVES)  # between cells; by action
DIRECTIONS = (1, 2, 3, 4)
SAFE_DISTANCE = 5  # rows and columns around the player where no ghost starts

FREE = np.flatnonzero(~WALLS).astype(np.int32)
"""`[F] int32`: the cells that are no walls, ascending."""


def _open_directions() -> np.ndarray:
    masks = np.zeros(NUM_CELLS, np.int32)
    for cell in FREE:
        for direction in DIRECTIONS:
            masks[cell] |= int(not WALLS.flat[cell + OFFSETS[direction]]) << direction
    return masks


OPEN = _open_directions()
"""`[H * W] int32`: of each free cell, bit d is set if direction d leads to another."""


def _far_cells() -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.divmod(FREE, WIDTH)
    far = (np.abs(rows[:, None] - rows) > SAFE_DISTANCE) | (
        np.abs(columns[:, None] - columns) > SAFE_DISTANCE
    )
    cells = np.zeros(far.shape, np.int32)
    for index, row in enumerate(far):
        cells[index, : row.sum()] = FREE[row]
    return cells, far.sum(1).astype(np.int32)


FAR, FAR_COUNT = _far_cells()
"""`[F, F] int32`: cells where ghosts may start, by the player's index into FREE; and how many."""
