"""Markers on a board: not physical, one drawn on each cell that holds a stone.

Each stone that is placed takes the next of its player's markers, as in the public environments;
the list of their positions keeps those of stones that have been captured since. In the scene
there is one site per cell, which shows the stone that is on it: so flips need only a colour.
"""

from dataclasses import dataclass

import numpy as np

from environments.embedded.boards.scene import Scene
from environments.embedded.engine import mujoco

FIRST, SECOND = 1, 2  # planes of the players' stones


@dataclass(frozen=True)
class MarkersSnapshot:
    """All that markers remember."""

    planes: np.ndarray
    positions: np.ndarray
    counts: tuple[int, ...]  # of each player
    places: np.ndarray


class Markers:
    """Draws stones into `model`, one world's own.

    Shape letters: `H, W` board, `N` markers of both players, the first player's first.
    """

    def __init__(self, scene: Scene, model: mujoco.MjModel):
        self._spec = scene.spec
        self._model = model
        self._colours = np.array(scene.spec.marker_colours, np.float32)
        shape = scene.spec.rows, scene.spec.columns
        self._sites = np.full(shape, -1)
        for (row, column), site in zip(scene.spec.cells, scene.markers, strict=True):
            self._sites[row, column] = site
        self._clear()

    def _clear(self) -> None:
        self._planes = np.zeros((*self._sites.shape, 3), bool)
        self._counts = [0, 0]
        self._places = np.zeros((*self._sites.shape, 3), np.float32)  # of the stones on the board
        self.positions = np.zeros((2 * self._spec.markers, 3), np.float32)

    def reset(self, planes: np.ndarray) -> None:
        """Shows the start of a game, `[H, W, 3] bool`; its stones lie in the cells' middles."""
        self._clear()
        self._model.site_rgba[self._sites[self._sites >= 0]] = 0
        self.show(planes, {})

    def show(
        self,
        planes: np.ndarray,
        touched: dict[tuple[int, int], np.ndarray],
        rng: np.random.Generator | None = None,
    ) -> None:
        """Shows the position after a move, `[H, W, 3] bool`: whatever differs from the last.

        A new stone lies where its cell was touched, `[3]` metres; elsewhere at a point drawn
        from `rng` around the cell's middle, or there without one.
        """
        changed = np.argwhere((planes != self._planes).any(axis=-1))
        for row, column in changed.tolist():
            before, after = self._planes[row, column], planes[row, column]
            if not after[FIRST] and not after[SECOND]:
                self._model.site_rgba[self._sites[row, column]] = 0
                continue
            player = int(after[SECOND])
            if not before[FIRST] and not before[SECOND]:
                point = touched.get((row, column))
                if point is None:
                    point = self._point(row, column, rng)
                self._place(row, column, player, point)
            self._model.site_rgba[self._sites[row, column]] = self._colours[player]
        self._planes = planes.copy()

    def _point(self, row: int, column: int, rng: np.random.Generator | None) -> np.ndarray:
        point = self._spec.centre(row, column)
        if rng is not None:
            reach = self._spec.jitter * self._spec.sensor
            point[:2] += rng.uniform(-reach, reach, 2)
        return point

    def _place(self, row: int, column: int, player: int, point: np.ndarray) -> None:
        each = self._spec.markers
        slot = player * each + self._counts[player] % each
        self._counts[player] += 1
        self.positions[slot] = self._places[row, column] = point
        self._model.site_pos[self._sites[row, column]] = self._places[row, column]

    def snapshot(self) -> MarkersSnapshot:
        """For `restore`, here or on another copy of the scene."""
        return MarkersSnapshot(
            self._planes.copy(), self.positions.copy(), tuple(self._counts), self._places.copy()
        )

    def restore(self, snapshot: MarkersSnapshot) -> None:
        """Goes back to `snapshot` and draws what was there."""
        self._planes, self._counts = snapshot.planes.copy(), list(snapshot.counts)
        self.positions, self._places = snapshot.positions.copy(), snapshot.places.copy()
        self._model.site_rgba[self._sites[self._sites >= 0]] = 0
        for row, column in np.argwhere(self._planes[..., (FIRST, SECOND)].any(axis=-1)).tolist():
            site, player = self._sites[row, column], int(self._planes[row, column, SECOND])
            self._model.site_pos[site] = self._places[row, column]
            self._model.site_rgba[site] = self._colours[player]
