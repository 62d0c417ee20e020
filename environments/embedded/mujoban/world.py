"""A compiled scene of MuJoBan: levels written into it, boxes and walker read from it."""

import copy
import dataclasses

import numpy as np

from environments.embedded.engine import mujoco
from environments.embedded.mujoban import scene
from environments.embedded.mujoban.board import Place, Pressed
from environments.embedded.mujoban.levels import Placement
from environments.embedded.mujoban.registration import PHYSICS_STEP
from environments.embedded.simulation import Simulation

X, Y, STEER, KICK, BOXES = 0, 1, 3, 4, 6  # in qpos; each box has x, y, z
_SHOWN, _HIDDEN = 0, 5  # geom groups


def layout_of(placement: Placement, *, pegs: bool = False) -> scene.Layout:
    """The layout that has just the room for a level."""
    height, width, _ = placement.planes.shape
    return scene.Layout((height, width), len(placement.boxes), len(placement.wall_pos), pegs)


class World:
    """One model of its own, with its data, for all levels of one layout.

    A level is written into the model: its walls are static geoms of the world body, so their
    positions, sizes and bounds are all that differs from a scene compiled for that level alone,
    and physics is the same bit for bit (the engine's midphase, whose tree is made when
    compiling, is off). Walls that the level does not need lie far below, out of reach.
    """

    def __init__(self, model: mujoco.MjModel, layout: scene.Layout, control_step: float):
        """`model` is one of `layout`, and written to; `control_step` in seconds."""
        self.simulation = Simulation(model, round(control_step / PHYSICS_STEP))
        self.layout = layout
        height, width = layout.shape
        self._top, self._left = (height - 1) / 2, (width - 1) / 2
        first = model.geom("wall0").id
        walls = slice(first, first + layout.walls)
        self._wall_pos, self._wall_size = model.geom_pos[walls], model.geom_size[walls]
        self._wall_radius, self._wall_box = model.geom_rbound[walls], model.geom_aabb[walls, 3:]
        self._wall_group = model.geom_group[walls]
        first = model.site("pad0").id
        pads = slice(first, first + layout.boxes)
        self._pad_pos, self._pad_colour = model.site_pos[pads], model.site_rgba[pads]
        first = model.geom("box0").id  # one geom a body, one body after the other
        self._box_colour = model.geom_rgba[first : first + layout.boxes]
        self._head = model.body("walker/head_body").id

    @classmethod
    def of(cls, layout: scene.Layout, control_step: float) -> "World":
        """A world for levels to be written into."""
        return cls(copy.copy(scene.compiled(layout)), layout, control_step)

    @classmethod
    def of_level(cls, placement: Placement, control_step: float, *, pegs: bool = False) -> "World":
        """A world compiled for one level, as a measure of the others: nothing is written."""
        layout = dataclasses.replace(layout_of(placement, pegs=pegs), walls=placement.walls)
        model = scene.compile_scene(scene.build(layout, placement))
        return cls(model, layout, control_step)

    def write(self, placement: Placement) -> None:
        """Makes the walls and pads those of a level of this layout."""
        self._wall_pos[:] = placement.wall_pos
        self._wall_size[:] = self._wall_box[:] = placement.wall_size
        self._wall_radius[:] = placement.wall_radius
        self._wall_group[: placement.walls] = _SHOWN
        self._wall_group[placement.walls :] = _HIDDEN
        self._pad_pos[:, :2] = placement.pad_pos

    def start(self, placement: Placement, yaw: float) -> None:
        """The start of a level that has been written: all at rest, the walker turned by `yaw`."""
        self.simulation.reset()
        qpos = self.simulation.data.qpos
        qpos[X : Y + 1] = placement.walker_pos
        qpos[STEER] = yaw
        qpos[BOXES:] = placement.box_pos.ravel()
        self.simulation.forward()

    def places(self) -> tuple[list[Place], Place]:
        """Boxes, and the walker, in rows and columns with fractions."""
        qpos, top, left = self.simulation.data.qpos.tolist(), self._top, self._left
        boxes = [(top - qpos[i + 1], left + qpos[i]) for i in range(BOXES, len(qpos), 3)]
        return boxes, (top - qpos[Y], left + qpos[X])

    def paint(self, pressed: Pressed) -> None:
        """Gives pads that are pressed, and the boxes on them, colours of their own."""
        self._pad_colour[:], self._box_colour[:] = scene.PAD_COLOUR, scene.BOX_COLOUR
        for box, pad in enumerate(pressed):
            if pad is not None:
                self._pad_colour[pad] = scene.PRESSED_PAD_COLOUR
                self._box_colour[box] = scene.BOX_ON_PAD_COLOUR

    @property
    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """Position `[3]` in metres, and rotation matrix `[9]`, of the walker's head: views."""
        data = self.simulation.data
        return data.xpos[self._head], data.xmat[self._head]
