"""Embeddings whose abstract state is read from a picture, by what has learnt to read it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from environments.embedded.base import Embedding, Progress, View
from environments.embedded.sights import load_sight
from environments.embedded.wrapped import WrappedEmbedding

PLANES = "planes"  # the key under which a policy sees the board


def with_sight(
    embedding: Embedding,
    run: str,
    environment: str,
    cameras: Mapping[str, str],
    state_of: Callable[[np.ndarray], Any],
) -> Embedding:
    """The embedding as the run `run` sees it; itself if there is none.

    Args:
      embedding: of the game.
      run: folder of a run of perception, or empty.
      environment: its registered name.
      cameras: the scene's names of cameras by the observation's keys.
      state_of: planes to a state of the game's rules, or None.

    Raises:
      UserError: the folder holds no such run, or one of another environment or board.
    """
    if not run:
        return embedding
    sight = load_sight(run, environment, embedding.planes().shape)
    view = View(cameras[sight.camera], sight.height, sight.width)
    return SeenEmbedding(embedding, view, sight.read, state_of)


@dataclass(frozen=True)
class _Moment:
    inner: Any
    planes: np.ndarray
    state: Any


class SeenEmbedding(WrappedEmbedding):
    """The embedding `inner`, of which planes and state are what a picture shows.

    It looks at the picture after every control step, through the camera of the environment that
    it is part of. A picture that shows no board of the rules is not believed: what was seen last
    stays. Before the first that does, there is no state (None).

    Observation: the inner one's, its `planes` as they are seen; all else that it may show of the
        board (positions of boxes, markers, legal moves) is the truth.
    Reward, termination, info: the inner one's; the truth.
    """

    def __init__(
        self,
        inner: Embedding,
        view: View,
        read: Callable[[np.ndarray], np.ndarray],
        state_of: Callable[[np.ndarray], Any],
    ):
        super().__init__(inner)
        self._view, self._read, self._state_of = view, read, state_of
        self._planes, self._state = np.zeros_like(inner.planes()), None

    def look_through(self, camera: Callable[[View], np.ndarray]) -> None:
        """From now on pictures are those of `camera`."""
        self._camera = camera
        self.inner.look_through(camera)

    def begin(self, level: int, rng: np.random.Generator) -> None:
        """The inner embedding's beginning, and a first look."""
        self.inner.begin(level, rng)
        self._state = None
        self._look()

    def advance(self, control: np.ndarray, rng: np.random.Generator) -> Progress:
        """The inner embedding's control step, and a look."""
        progress = self.inner.advance(control, rng)
        self._look()
        return progress

    def _look(self) -> None:
        planes = self._read(self._camera(self._view))
        state = self._state_of(planes)
        if state is not None or self._state is None:
            self._planes, self._state = planes, state

    def planes(self) -> np.ndarray:
        """`[H, W, C] bool`, as seen."""
        return self._planes.copy()

    def state(self) -> Any:
        """A state of the rules with these planes; None before any was seen."""
        return self._state

    def observe(self) -> dict[str, np.ndarray]:
        """New arrays for every key."""
        found = self.inner.observe()
        return {**found, PLANES: self.planes()} if PLANES in found else found

    def snapshot(self) -> _Moment:
        """The inner embedding's, and what was seen."""
        return _Moment(self.inner.snapshot(), self._planes, self._state)

    def restore(self, snapshot: _Moment) -> None:
        """Goes back to `snapshot`."""
        self.inner.restore(snapshot.inner)
        self._planes, self._state = snapshot.planes, snapshot.state
