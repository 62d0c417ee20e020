"""Boards as a picture shows them: for experts and policies; the game goes by the truth."""

from contextlib import closing

import numpy as np
import pytest

from environments.embedded.base import View
from environments.embedded.environment import EmbeddedEnvironment
from environments.embedded.mujoban.embedding import Mujoban
from environments.embedded.mujoban.registration import MujobanOptions
from environments.embedded.rendering import Renderer
from environments.embedded.sight import SeenEmbedding
from environments.errors import UserError
from environments.games.sokoban import rules
from environments.games.sokoban.sources import load_levels
from environments.hints.embedding import HintedEmbedding
from environments.hints.options import HintOptions
from environments.players.sokoban.player import SokobanSolver

LEVELS = "generated:size=5,boxes=1,count=20,seed=0"
STILL = np.zeros(3, np.float32)
VIEW = View("top_camera", 32, 40)


def board(text: str) -> np.ndarray:
    (level,) = load_levels(text)
    return rules.planes(rules.initial_state(level))


class Reader:
    """Reads whatever it is told to, and keeps the pictures."""

    def __init__(self, planes):
        self.planes, self.pictures = planes, []

    def __call__(self, picture):
        self.pictures.append(picture)
        return self.planes


@pytest.fixture
def inner():
    options = MujobanOptions(levels=LEVELS)
    return Mujoban(load_levels(LEVELS), options)


@pytest.fixture
def reader():
    return Reader(board("#####\n#@$.#\n#   #\n#   #\n#####\n"))


@pytest.fixture
def seen(inner, reader):
    try:
        Renderer().close()
    except UserError as error:
        pytest.skip(f"no pictures here: {error}")
    with closing(SeenEmbedding(inner, VIEW, reader, rules.state_of)) as embedding:
        yield embedding


def test_the_picture_is_looked_at_after_every_step(seen, reader):
    environment = EmbeddedEnvironment(seen, time_limit=5.0, seed=0)
    shown = environment.reset().observation
    np.testing.assert_array_equal(shown["planes"], reader.planes)
    environment.step(STILL)
    assert len(reader.pictures) == 2
    assert all(x.shape == (32, 40, 3) and x.std() > 5 for x in reader.pictures)


def test_the_camera_of_perception_takes_each_picture_once(seen, reader, monkeypatch):
    """By the renderer of the environment, which shows the same picture under its key."""
    used = []

    def render(renderer, *args, **kwargs):
        used.append(renderer)
        return taken(renderer, *args, **kwargs)

    taken = Renderer.render
    monkeypatch.setattr(Renderer, "render", render)
    views = {"top_camera": VIEW, "again": VIEW, "larger": View("top_camera", 48, 48)}
    environment = EmbeddedEnvironment(seen, time_limit=5.0, seed=0, views=views)
    shown = environment.reset().observation
    for control in ([1.0, 0.5, 0.0], [0.5, 1.0, 0.0]):
        before, shown = shown, environment.step(np.array(control, np.float32)).observation
        assert not np.array_equal(shown["top_camera"], before["top_camera"])
        np.testing.assert_array_equal(shown["top_camera"], reader.pictures[-1])
        np.testing.assert_array_equal(shown["top_camera"], shown["again"])
        assert not np.shares_memory(shown["top_camera"], shown["again"])
    assert len(used) == 3 * 3  # of three moments: one for two of the three keys, and two more
    assert len(set(used)) == 1
    moment = environment.snapshot()
    environment.step(STILL)
    environment.restore(moment)
    again = environment.observation()
    np.testing.assert_array_equal(again["top_camera"], shown["top_camera"])
    environment.close()
    with pytest.raises(RuntimeError, match="closed"):
        environment.render("top_camera", 8, 8)


def test_the_game_goes_by_the_truth(seen, inner, reader):
    environment = EmbeddedEnvironment(seen, time_limit=5.0, seed=0)
    environment.reset()
    np.testing.assert_array_equal(environment.planes(), inner.planes())
    np.testing.assert_array_equal(rules.planes(environment.state), inner.planes())
    assert not np.array_equal(environment.planes(), reader.planes)


def test_experts_advise_on_what_is_seen(seen):
    hinted = HintedEmbedding(
        seen, SokobanSolver(), HintOptions("solver", kind="action", wait=120.0)
    )
    environment = EmbeddedEnvironment(hinted, time_limit=5.0, seed=0)
    shown = environment.reset().observation
    assert np.flatnonzero(shown["hint/action"]).tolist() == [rules.MOVES.index((0, 1))]


def test_what_is_no_board_is_not_believed(seen, reader):
    EmbeddedEnvironment(seen, time_limit=5.0, seed=0).reset()
    before, state = seen.planes(), seen.state()
    reader.planes = np.zeros_like(before)
    seen.advance(STILL, np.random.default_rng(0))
    np.testing.assert_array_equal(seen.planes(), before)
    assert seen.state() is state


def test_without_a_board_there_is_no_hint(seen, reader):
    board, reader.planes = reader.planes, np.zeros_like(reader.planes)
    hinted = HintedEmbedding(seen, SokobanSolver(), HintOptions("solver", wait=120.0))
    environment = EmbeddedEnvironment(hinted, time_limit=5.0, seed=0)
    assert not environment.reset().observation["hint/present"]
    reader.planes = board
    assert environment.step(STILL).observation["hint/present"]


def test_snapshots_keep_what_was_seen(seen, reader):
    environment = EmbeddedEnvironment(seen, time_limit=5.0, seed=0)
    environment.reset()
    moment, before = environment.snapshot(), reader.planes
    reader.planes = board("#####\n#  .#\n# $ #\n# @ #\n#####\n")
    shown = environment.step(STILL).observation["planes"]
    np.testing.assert_array_equal(shown, reader.planes)
    environment.restore(moment)
    np.testing.assert_array_equal(environment.observation()["planes"], before)
