"""A level written into a compiled scene moves bit for bit as one compiled for it alone."""

import os
from pathlib import Path

import numpy as np
import pytest

from environments.embedded.mujoban.levels import place
from environments.embedded.mujoban.world import World, layout_of
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.sources import load_levels
from tests.environments.games.sokoban.boards import level, real_levels

STEPS = 200
BOXOBAN = os.environ.get("MORAVEC_BOXOBAN")


class Worlds:
    """One world for each layout, as an environment has them."""

    def __init__(self, control_step: float):
        self.control_step = control_step
        self.known = {}

    def of(self, placement, pegs: bool = False) -> World:
        layout = layout_of(placement, pegs=pegs)
        if layout not in self.known:
            self.known[layout] = World.of(layout, self.control_step)
        return self.known[layout]


class Contacts:
    """Contacts of a world, in the engine's order, by the names of geoms."""

    def __init__(self, world: World):
        model = world.simulation.model
        self._contact = world.simulation.data.contact
        self._names = np.array([model.geom(i).name for i in range(model.ngeom)])

    def now(self) -> tuple[np.ndarray, ...]:
        contact = self._contact
        names = self._names[contact.geom]
        return names, contact.dist.copy(), contact.pos.copy(), contact.frame.copy()


def assert_same_motion(worlds: Worlds, levels: LevelSet, index: int, pegs: bool = False) -> None:
    """Random play of `STEPS` control steps; now and then everything is given a push."""
    placement, rng = place(levels, index), np.random.default_rng(index)
    written = worlds.of(placement, pegs)
    written.write(placement)
    both = written, World.of_level(placement, worlds.control_step, pegs=pegs)
    yaw = rng.uniform(-np.pi, np.pi)
    for world in both:
        world.start(placement, yaw)
    ours, theirs = (world.simulation.data for world in both)
    seen = [Contacts(world) for world in both]
    met = set()
    for step in range(STEPS):
        control, push = rng.uniform(-1, 1, 3), rng.uniform(-4, 4, ours.qvel.size)
        for world in both:
            if step % 25 == 0:
                world.simulation.data.qvel[:] += push
            world.simulation.advance(control)
        for name in ("qpos", "qvel", "qacc_warmstart", "sensordata", "site_xpos"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
        for one, other in zip(*(each.now() for each in seen), strict=True):
            np.testing.assert_array_equal(one, other)
        met |= {name[:4] for name in seen[0].now()[0].ravel()}
    assert {"wall", "box0", "grou", "walk"} <= met


def test_a_dozen_real_levels():
    levels = LevelSet.from_levels(real_levels()[::17][:12], "real")
    assert len(levels) == 12
    worlds = Worlds(0.01)
    for index in range(len(levels)):
        assert_same_motion(worlds, levels, index)
    assert len(worlds.known) > 1


@pytest.mark.slow
@pytest.mark.skipif(not BOXOBAN, reason="MORAVEC_BOXOBAN names no folder of levels")
@pytest.mark.parametrize("part", range(5))
def test_fifty_levels(part):
    levels = load_levels(str(Path(BOXOBAN or "", "unfiltered", "valid")))
    worlds = Worlds(0.05)
    for index in np.random.default_rng(part).integers(len(levels), size=10):
        assert_same_motion(worlds, levels, int(index))


def test_other_sizes_numbers_of_boxes_and_pegs():
    levels = LevelSet.from_levels(
        [
            level("######", "#@$. #", "#  $.#", "######"),
            level(
                "##########", "#   $  .##", "#  #@#   #", "#    * . #", "# $  #   #", "##########"
            ),
        ],
        "by hand",
    )  # fmt: skip
    worlds = Worlds(0.01)
    for index in (1, 0):
        assert_same_motion(worlds, levels, index)
        assert_same_motion(worlds, levels, index, pegs=True)


def test_what_is_written_is_what_is_compiled():
    levels = LevelSet.from_levels(real_levels()[::17][:4], "real")
    worlds = Worlds(0.1)
    for index in range(len(levels)):
        placement = place(levels, index)
        written, alone = worlds.of(placement), World.of_level(placement, 0.1)
        written.write(placement)
        ours, theirs = written.simulation.model, alone.simulation.model
        for i in range(theirs.ngeom):
            j = ours.geom(theirs.geom(i).name).id
            for field in ("pos", "quat", "size", "rbound", "aabb", "group", "friction"):
                field = f"geom_{field}"
                np.testing.assert_array_equal(getattr(ours, field)[j], getattr(theirs, field)[i])
        np.testing.assert_array_equal(ours.site_pos, theirs.site_pos)
        assert ours.stat.meaninertia == theirs.stat.meaninertia


@pytest.mark.parametrize("forgotten", ["_wall_radius", "_wall_size", "_wall_pos"])
def test_the_comparison_notices_what_is_forgotten(forgotten, monkeypatch):
    levels = LevelSet.from_levels(real_levels()[::17][:4], "real")
    worlds = Worlds(0.01)
    world = worlds.of(place(levels, 0))
    wrong = getattr(world, forgotten).copy()  # as compiled
    write = world.write

    def forgetful(placement):
        write(placement)
        getattr(world, forgotten)[:] = wrong

    monkeypatch.setattr(world, "write", forgetful)
    with pytest.raises(AssertionError):
        assert_same_motion(worlds, levels, 0)
