"""MuJoBan's scene: walls, boxes, pads and the ball walker, built with dm_control.

Constants are those of the public environment (physics_planning_games/mujoban in
google-deepmind/deepmind-research).
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from environments.embedded.base import building
from environments.embedded.engine import mujoco
from environments.embedded.mujoban.levels import (
    BOX_HALF_SIZE,
    PARKED_POS,
    PARKED_SIZE,
    Placement,
    centre,
)
from environments.embedded.mujoban.registration import PHYSICS_STEP

BOX_MASS = 2.5
BOX_GROUND_FRICTION = (0.5, 0.5, 0.005, 0.0001, 0.0001)
BOX_COLOUR, BOX_ON_PAD_COLOUR = (0.68, 0.70, 0.24, 1.0), (0.0, 0.0, 1.0, 1.0)
PAD_HALF_SIZE = 0.5
PAD_COLOUR, PRESSED_PAD_COLOUR = (1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0)
EYE_HEIGHT = 0.25  # of the egocentric camera, above the head body
PEG_SIZE, PEG_HEIGHT = 0.05, 0.25
TOP_CAMERA_HEIGHT = 100.0
_MARGIN = 1.1  # of the top camera's view, in board sizes


@dataclass(frozen=True)
class Layout:
    """What is compiled into a model; levels of one layout share it."""

    shape: tuple[int, int]  # rows, columns
    boxes: int  # as many pads
    walls: int  # slots for rectangles of wall
    pegs: bool = False


def compiled(layout: Layout) -> mujoco.MjModel:
    """The model of a layout, compiled once in a process. Not to be written to: copy it."""
    with building:  # worlds in threads ask for the same, and dm_control keeps globals
        return _compiled(layout)


@functools.lru_cache(maxsize=64)
def _compiled(layout: Layout) -> mujoco.MjModel:
    return compile_scene(build(layout))


def compile_scene(root: Any) -> mujoco.MjModel:
    """Compiles what `build` has built."""
    return mujoco.MjModel.from_xml_string(root.to_xml_string(), root.get_assets())


def build(layout: Layout, placement: Placement | None = None) -> Any:
    """The scene as a `dm_control.mjcf.RootElement`.

    Its walls and pads lie where `placement` has them; without one they are parked below the
    ground, for levels to be written into the compiled model.
    """
    from environments.embedded.parts import JumpingBallWithHead, composer

    arena = composer.Arena("mujoban")
    walker = JumpingBallWithHead(add_ears=True, camera_height=EYE_HEIGHT)
    _repaint(walker.mjcf_model)
    walker.create_root_joints(arena.attach(walker))
    root: Any = arena.mjcf_model
    root.option.timestep = PHYSICS_STEP
    root.option.flag.midphase = "disable"  # its tree is fixed when compiled; walls are not
    root.visual.headlight.ambient = [0.8] * 3
    root.visual.map.znear = 0.0005
    _add_ground(root, layout.shape)
    _add_top_camera(root, layout.shape)
    _add_overview(root, layout.shape)
    _add_walls(root, layout, placement)
    _add_pads(root, layout, placement)
    for i in range(layout.boxes):
        _add_box(root, i)
    if layout.pegs:
        _add_pegs(root, layout.shape)
    return root


def _repaint(walker) -> None:
    """A small checker on the ball; its own picture of 17 MB would make every copy slow."""
    walker.find("texture", "body").remove()
    texture = walker.asset.add(
        "texture", name="body", type="cube", builtin="checker", rgb1=[0.9, 0.9, 0.9],
        rgb2=[0.15, 0.35, 0.75], width=16, height=16,
    )  # fmt: skip
    walker.find("material", "body").texture = texture


def _add_ground(root, shape: tuple[int, int]) -> None:
    height, width = shape
    root.asset.add(
        "texture", name="floor", type="2d", builtin="checker", rgb1=[0.16, 0.16, 0.2],
        rgb2=[0.26, 0.26, 0.31], width=64, height=64,
    )  # fmt: skip
    root.asset.add(
        "texture", name="sky", type="skybox", builtin="gradient", rgb1=[0.45, 0.6, 0.75],
        rgb2=[0.02, 0.02, 0.03], width=32, height=192,
    )  # fmt: skip
    root.asset.add("material", name="floor", texture="floor", texrepeat=[width / 2, height / 2])
    root.worldbody.add(
        "geom", name="ground", type="plane", size=[width / 2, height / 2, 1], material="floor"
    )


def _add_top_camera(root, shape: tuple[int, int]) -> None:
    fovy = np.degrees(2 * np.arctan2(_MARGIN * max(shape) / 2, TOP_CAMERA_HEIGHT))
    root.worldbody.add(
        "camera", name="top_camera", pos=[0, 0, TOP_CAMERA_HEIGHT], zaxis=[0, 0, 1], fovy=fovy
    )


def _add_overview(root, shape: tuple[int, int]) -> None:
    """A camera and a lamp for people; the lamp is out unless they look."""
    side, tilt = max(shape), np.radians(58)
    away = 1.3 * side
    root.worldbody.add(
        "camera", name="overview", pos=[0, -away * (np.cos(tilt) + 0.04), away * np.sin(tilt)],
        xyaxes=[1, 0, 0, 0, np.sin(tilt), np.cos(tilt)], fovy=45,
    )  # fmt: skip
    lamp = np.array([-0.6, -0.4, 1.5]) * side
    root.worldbody.add(
        "light", name="lamp", pos=lamp, dir=-lamp, cutoff=60, diffuse=[0.75] * 3,
        specular=[0.1] * 3, castshadow=True, active=False,
    )  # fmt: skip


def _add_walls(root, layout: Layout, placement: Placement | None) -> None:
    root.asset.add("material", name="wall", rgba=[0.5, 0.45, 0.4, 1])
    for i in range(layout.walls):
        pos, size = PARKED_POS, PARKED_SIZE
        if placement is not None:
            pos, size = placement.wall_pos[i], placement.wall_size[i]
        root.worldbody.add("geom", name=f"wall{i}", type="box", pos=pos, size=size, material="wall")


def _add_pads(root, layout: Layout, placement: Placement | None) -> None:
    for i in range(layout.boxes):
        x, y = (0, 0) if placement is None else centre(layout.shape, *placement.pads[i])
        root.worldbody.add(
            "site", name=f"pad{i}", type="box", size=[PAD_HALF_SIZE, PAD_HALF_SIZE, 0.001],
            pos=[x, y, 0.001], rgba=PAD_COLOUR,
        )  # fmt: skip


def _add_box(root, i: int) -> None:
    body = root.worldbody.add("body", name=f"box{i}")
    for name, axis in (("x", [1, 0, 0]), ("y", [0, 1, 0]), ("z", [0, 0, 1])):
        body.add("joint", name=f"box{i}_{name}", type="slide", axis=axis)
    body.add("geom", name=f"box{i}", type="box", size=BOX_HALF_SIZE, mass=BOX_MASS, rgba=BOX_COLOUR)
    root.contact.add(
        "pair", geom1=f"box{i}", geom2="ground", condim=6, friction=BOX_GROUND_FRICTION
    )


def _add_pegs(root, shape: tuple[int, int]) -> None:
    side = PEG_SIZE / np.sqrt(2)
    for row in range(shape[0] - 1):
        for column in range(shape[1] - 1):
            x, y = centre(shape, row + 0.5, column + 0.5)
            root.worldbody.add(
                "geom", name=f"peg{row}_{column}", type="box",
                size=[side, side, PEG_HEIGHT / 2], pos=[x, y, PEG_HEIGHT / 2],
                euler=[0, 0, np.pi / 4], rgba=[0.5, 0.5, 0.5, 1],
            )  # fmt: skip
