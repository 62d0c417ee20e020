"""Levels begun in the midst: nothing touches, boxes lie on pads and between cells, never solved."""

from typing import Any

import numpy as np

import environments
from environments.embedded.mujoban.levels import place
from environments.embedded.mujoban.scatter import scattered
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.sources import load_levels
from tests.environments.games.sokoban.boards import level

LEVELS = "generated:size=7,boxes=2,count=20,seed=0"
BOX, BALL = 0.4, 0.2  # metres, half the side and the radius


def test_nothing_touches_anything_and_no_level_is_solved():
    levels, rng = load_levels(LEVELS), np.random.default_rng(0)
    pads = between = 0
    for number in range(300):
        before = place(levels, number % 20)
        after = scattered(before, rng)
        walls = np.argwhere(before.planes[..., 0])
        wall_at = np.stack([walls[:, 1] - 3.0, 3.0 - walls[:, 0]], axis=-1)
        boxes = after.box_pos[:, :2]
        for i, box in enumerate(boxes):
            others = np.delete(boxes, i, axis=0)
            assert np.abs(wall_at - box).max(-1).min() >= 0.5 + BOX - 1e-9
            assert np.abs(others - box).max(-1).min() >= 2 * BOX - 1e-9
        ball = np.array(after.walker_pos)
        assert np.abs(wall_at - ball).max(-1).min() >= 0.5 + BALL
        assert np.abs(boxes - ball).max(-1).min() >= BOX + BALL - 1e-9
        assert set(after.boxes) != set(after.pads)
        assert len({*after.boxes, after.player}) == 3
        pads += len(set(after.boxes) & set(after.pads))
        off = boxes - np.round(boxes)
        between += int((np.abs(off).max(-1) > 0.1).sum())
        np.testing.assert_array_equal(after.planes, before.planes)
    assert pads > 60
    assert between > 60


def test_a_level_without_room_stays_as_it_is():
    rng = np.random.default_rng(0)
    full = place(LevelSet.from_levels([level("####", "#@*#", "####")], "two cells"), 0)
    assert scattered(full, rng) is full
    three = place(LevelSet.from_levels([level("#####", "#@*.#", "#####")], "three cells"), 0)
    assert {scattered(three, rng).player for _ in range(20)} != {(1, 1)}


def test_planes_are_those_of_where_things_lie_and_the_seed_decides():
    games: list[Any] = [
        environments.load("mujoban", levels=LEVELS, scatter=scatter, seed=seed)
        for scatter, seed in ((True, 1), (True, 1), (True, 2), (False, 1))
    ]
    shown = []
    for game in games:
        planes = np.stack([game.reset_to(i).observation["planes"] for i in range(10)])
        assert planes[..., 2].sum() == 10
        assert planes[..., 3].sum() == 20
        assert not game.info["overlap"]
        shown.append(planes)
    np.testing.assert_array_equal(shown[0], shown[1])
    assert np.any(shown[0] != shown[2])
    np.testing.assert_array_equal(shown[0][..., :2], shown[3][..., :2])
    active = [game.info["active_pads"] for game in games[:1] for i in range(20) if game.reset_to(i)]
    assert max(active) == 1


def test_a_snapshot_restores_a_scattered_level():
    made: list[Any] = [
        environments.load("mujoban", levels=LEVELS, scatter=True, seed=seed) for seed in (0, 5)
    ]
    first, other = made
    first.reset_to(3)
    other.reset_to(4)
    other.restore(first.snapshot())
    action = np.array([1.0, 0.2, 0.0], np.float32)
    for _ in range(5):
        steps = first.step(action), other.step(action)
        for key, value in steps[0].observation.items():
            np.testing.assert_array_equal(value, steps[1].observation[key])
