"""The physical scene of a board game: ground, Jaco arm and hand, cells that sense touch, markers.

Built with dm_control's entities, compiled once for each board and process. Sizes, cameras and
physical constants are those of MuJoXO and MuJoGo (Mirza et al. 2020, public environments).
"""

import copy
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from environments.embedded.base import building
from environments.embedded.boards.looks import add_looks, paint
from environments.embedded.boards.registration import CONTROL_STEP
from environments.embedded.boards.spec import BoardSpec
from environments.embedded.engine import mujoco

ARM_POSITION = (0.0, 0.4, 0.0)
ROBOT_GROUP = 1  # of the arm's and the hand's geoms
_SENSOR_GROUP = 4  # not drawn
CAMERAS = {  # name: position, and the picture's right and up
    "front": ((0.0, -0.6, 0.75), (1.0, 0.0, 0.0, 0.0, 0.7, 0.75)),
    "front_2": ((0.0, -0.65, 0.85), (1.0, 0.0, 0.0, 0.0, 0.85, 0.6)),  # the 7x7 board fits
    "top_down": ((0.0, 0.0, 0.5), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)),
}
ARM, HAND = "jaco_arm", "jaco_arm/jaco_hand"
JOINTS = tuple(f"{ARM}/joint_{i}" for i in range(1, 7))


@dataclass(frozen=True)
class Scene:
    """A compiled board scene and where things are in it.

    Shape letters: `C` cells, in the order of `spec.cells`; `P` places that can be pressed: the
    cells, then the pass plate if there is one.
    """

    spec: BoardSpec
    model: mujoco.MjModel  # never written to: each world takes a copy
    substeps: int  # engine steps in a control step
    touch: np.ndarray  # [P] int, addresses in sensordata of what the places sense, newtons
    places: np.ndarray  # [P] int, geoms
    markers: np.ndarray  # [C] int, sites, one lying in wait on every cell
    fingers: np.ndarray  # [ngeom] bool
    robot: np.ndarray  # [ngeom] bool, the arm and the hand
    torques: np.ndarray  # [6] int, addresses in sensordata, each about its joint's axis
    grip_site: int  # the tool's centre
    pinch_site: int

    def new_model(self) -> mujoco.MjModel:
        """A copy for one world, which may write to it."""
        return copy.copy(self.model)


def build_scene(spec: BoardSpec) -> Scene:
    """The scene of a board; the same object for the same board."""
    with building:  # worlds in threads ask for the same, and dm_control keeps globals
        return _build_scene(spec)


@functools.lru_cache(maxsize=16)
def _build_scene(spec: BoardSpec) -> Scene:
    root = _scene_tree(spec)
    model = mujoco.MjModel.from_xml_string(root.to_xml_string(), root.get_assets())
    paint(model, spec)
    return _located(spec, model)


def _scene_tree(spec: BoardSpec) -> Any:
    from environments.embedded.parts import composer, kinova

    arena = composer.Arena(name="arena")
    root = arena.mjcf_model
    add_looks(root, spec)
    _add_ground(root)
    _add_board(root, spec)
    arm, hand = kinova.JacoArm(), kinova.JacoHand()
    arm.attach(hand)
    arena.attach(arm).pos = ARM_POSITION
    for geom in arm.mjcf_model.find_all("geom"):
        geom.group = ROBOT_GROUP
    return root


def _add_ground(root: Any) -> None:
    root.worldbody.add(
        "geom",
        name="ground",
        type="plane",
        material="ground",
        size=(1, 1, 0.1),
        friction=(0.4,),
        solimp=(0.95, 0.99, 0.001),
        solref=(0.002, 1),
    )
    root.worldbody.add(
        "light",
        pos=(0, 0, 1.5),
        dir=(0, 0, -1),
        diffuse=(0.7, 0.7, 0.7),
        specular=(0.3, 0.3, 0.3),
        castshadow=True,
    )
    for name, (position, axes) in CAMERAS.items():
        root.worldbody.add("camera", name=name, pos=position, xyaxes=axes)
    root.statistic.center = (0.0, 0.0, 0.0)


def _add_board(root: Any, spec: BoardSpec) -> None:
    """Tiles and plate in a body of their own: a touch sensor senses contacts of its site's body."""
    board = root.worldbody.add("body", name="board")
    half = (spec.tile, spec.tile, spec.height)
    zone = (spec.sensor, spec.sensor, spec.height / 2)
    for row, column in spec.cells:
        name, top = f"cell_{row}_{column}", spec.centre(row, column)
        board.add(
            "geom",
            name=name,
            type="box",
            size=half,
            pos=top - (0, 0, spec.height),
            material=("tile_light", "tile_dark")[(row + column) % 2]
            if spec.checkered
            else "hidden",
        )
        _add_touch(root, board, name, top, zone)
        board.add(
            "site",
            name=f"marker_{row}_{column}",
            type="cylinder",
            size=(spec.marker_radius, spec.marker_height),
            pos=top,
            rgba=(0, 0, 0, 0),
            material="marker",
        )
    if not spec.checkered:
        height, width = spec.extent
        board.add(
            "geom",
            name="slab",
            type="box",
            size=(width / 2, height / 2, spec.height),
            pos=(0, spec.offset, spec.height),
            material="slab",
            contype=0,
            conaffinity=0,
        )
    if spec.pass_plate:
        place = (0, spec.offset, 0)
        board.add("geom", name="pass", type="box", size=spec.plate, pos=place, material="plate")
        _add_touch(root, board, "pass", place, spec.plate)


def _add_touch(root: Any, board: Any, name: str, position: Any, zone: Any) -> None:
    site = board.add("site", name=name, type="box", size=zone, pos=position, group=_SENSOR_GROUP)
    root.sensor.add("touch", site=site, name=name)


def _located(spec: BoardSpec, model: mujoco.MjModel) -> Scene:
    places = [f"cell_{row}_{column}" for row, column in spec.cells]
    if spec.pass_plate:
        places.append("pass")
    fingers = [model.geom(i).name.startswith(f"{HAND}/finger") for i in range(model.ngeom)]
    robot = [model.geom(i).name.startswith(f"{ARM}/") for i in range(model.ngeom)]
    # Torque sensors have three axes; each of the arm's joints turns about one of them.
    torques = [
        model.sensor(f"{name}_torque").adr[0] + np.argmax(model.joint(name).axis) for name in JOINTS
    ]
    return Scene(
        spec=spec,
        model=model,
        substeps=round(CONTROL_STEP / model.opt.timestep),
        touch=np.array([model.sensor(name).adr[0] for name in places]),
        places=np.array([model.geom(name).id for name in places]),
        markers=np.array([model.site(f"marker_{r}_{c}").id for r, c in spec.cells]),
        fingers=np.array(fingers),
        robot=np.array(robot),
        torques=np.array(torques),
        grip_site=int(model.site(f"{HAND}/gripsite").id),
        pinch_site=int(model.site(f"{HAND}/pinchsite").id),
    )
