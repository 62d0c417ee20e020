"""What a video shows of an environment at one moment: its scene, its board, a caption."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from environments.embedded.environment import EmbeddedEnvironment
from environments.games.minipacman import rules as minipacman
from environments.games.sokoban import rules as sokoban
from environments.pictures import board_picture
from launch.frames import Caption, compose, frame_size

if TYPE_CHECKING:
    from launch.imagination import Imagination

_CAMERAS = ("overview", "front")  # the first that the scene has
_ACTIONS = {sokoban.State: sokoban.ACTIONS, minipacman.State: minipacman.ACTIONS}
_WIDE_CAMERA = "front_2"  # of boards with more cells than the front camera sees


@dataclass
class Episode:
    """How far an episode has come, and how it ended."""

    number: int  # from 1
    level: int
    steps: int = 0
    total: float = 0.0  # return
    action: Any = None  # the last one
    outcome: str = ""  # "" if it was left before its end
    success: bool = False


class Studio:
    """Draws the present moment of an environment: its scene if it has one, board and caption."""

    def __init__(
        self, environment: Any, title: str, size: int, imagination: "Imagination | None" = None
    ):
        """Args:
        environment: what is drawn.
        title: written below.
        size: height of scene and board, pixels.
        imagination: drawn beside them.
        """
        self._imagination = imagination
        self._environment, self._title, self._size = environment, title, size
        self._embedded = isinstance(environment, EmbeddedEnvironment)
        self._scene_width = size * 4 // 3
        widths = [self._scene_width, size] if self._embedded else [size]
        widths += [size] if imagination else []
        self.size = frame_size(size, widths)  # of the pictures: height, width
        self.begin()

    def begin(self) -> None:
        """Forgets the episode before."""
        self._planes: np.ndarray | None = None
        self._board: np.ndarray | None = None  # the picture of it

    def draw(self, episode: Episode) -> np.ndarray:
        """A picture `[height, width, 3] uint8`, always of the same `size`."""
        state = self._environment.state
        pictures = [self._scene()] if self._embedded else []
        pictures.append(self._drawn_board(state))
        if self._imagination is not None:
            pictures.append(self._imagination.picture(self._size))
        return compose(pictures, self._caption(state, episode))

    def name(self, episode: Episode) -> str:
        """The episode by its level; by its number in games of two players, or that start alike."""
        alike = self._environment.num_levels == 1 or "draw" in self._environment.spec.outcomes
        return f"game {episode.number}" if alike else f"level {episode.level}"

    def _scene(self) -> np.ndarray:
        environment = self._environment
        with _lamps_lit(environment.simulation.model):
            return environment.render(
                _camera(environment), self._size, self._scene_width, handsome=True
            )

    def _drawn_board(self, state: Any) -> np.ndarray:
        """The picture of the board, drawn anew only if it has changed."""
        planes = self._environment.planes()
        if self._board is None or self._planes is None:
            self._board = board_picture(state, planes, self._size)
        elif not np.array_equal(planes, self._planes):
            new = (planes & ~self._planes)[..., 1:].any(-1)
            self._board = board_picture(state, planes, self._size, new)
        self._planes = planes
        return self._board

    def _caption(self, state: Any, episode: Episode) -> Caption:
        if self._embedded:
            time_ = episode.steps * self._environment.simulation.control_step
            progress = f"{time_:.1f} s, {episode.steps} steps"
        else:
            progress = f"{episode.steps} steps"
            names = _ACTIONS.get(type(state))
            if names and episode.action is not None:
                progress += f", {names[int(episode.action)]}"
        if self._imagination is not None:
            progress += f"; {self._imagination.caption}"
        outcomes = self._environment.spec.outcomes
        return Caption(
            title=f"{self._title}, {self.name(episode)}",
            progress=progress,
            score=f"return {episode.total:.2f}",
            outcome=episode.outcome,
            good=None if episode.outcome == "draw" else episode.outcome == outcomes[0],
        )


@contextmanager
def _lamps_lit(model: Any) -> Iterator[None]:
    """Light with shadows in scenes whose lamps are out, so that observations are plain."""
    head, lamps = model.vis.headlight, model.light_active
    if lamps.all():
        yield
        return
    before = head.ambient.copy(), head.diffuse.copy(), lamps.copy()
    head.ambient[:], head.diffuse[:], lamps[:] = 0.4, 0.35, True
    try:
        yield
    finally:
        head.ambient[:], head.diffuse[:], lamps[:] = before


def _camera(environment: EmbeddedEnvironment) -> str:
    model = environment.simulation.model
    names = [model.camera(i).name for i in range(model.ncam)]
    if _WIDE_CAMERA in names and max(environment.planes().shape[:2]) > 3:
        return _WIDE_CAMERA
    return next((name for name in _CAMERAS if name in names), names[0])
