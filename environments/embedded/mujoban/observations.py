"""What MuJoBan shows, under the public environment's names, float32 and without buffers."""

import numpy as np
from dm_env import specs

from environments.embedded.mujoban.registration import MujobanOptions
from environments.embedded.mujoban.world import BOXES, KICK, World
from environments.games.sokoban import observations as symbolic

_PROPRIOCEPTION = {  # shapes
    "walker/body_height": (),
    "walker/end_effectors_pos": (3,),
    "walker/joints_pos": (1,),
    "walker/joints_vel": (1,),
    "walker/orientation": (9,),
    "walker/world_zaxis": (3,),
    "walker/sensors_velocimeter": (3,),
    "walker/sensors_gyro": (3,),
    "walker/sensors_accelerometer": (3,),
}


def observation_spec(
    options: MujobanOptions, shape: tuple[int, int], boxes: int
) -> dict[str, specs.Array]:
    """A spec for each key of an observation of a board `(H, W)` with at most `boxes` boxes."""
    floats: dict[str, tuple[int, ...]] = {}
    if "proprioception" in options.observations:
        floats |= _PROPRIOCEPTION
    if "position" in options.observations:
        floats["walker/position"] = (3,)
        floats |= dict.fromkeys(("boxes/position", "boxes/egocentric"), (boxes, 3))
    found: dict[str, specs.Array] = {
        key: specs.Array(size, np.float32, name=key) for key, size in floats.items()
    }
    for kind, public in (("planes", "full_entity_layer"), ("pixels", "pixel_layer")):
        spec = symbolic.observation_spec(kind, shape)
        for key in _names(kind, public, options):
            found[key] = spec.replace(name=key)
    return found


def observe(
    options: MujobanOptions, world: World, planes: np.ndarray, boxes: int
) -> dict[str, np.ndarray]:
    """New arrays for every key of `observation_spec`; `planes` is not kept."""
    found: dict[str, np.ndarray] = {}
    if "proprioception" in options.observations:
        found |= _proprioception(world)
    if "position" in options.observations:
        found |= _position(world, boxes)
    for key in _names("planes", "full_entity_layer", options):
        found[key] = planes.copy()
    for key in _names("pixels", "pixel_layer", options):
        found[key] = symbolic.pixels(planes)
    return found


def _names(kind: str, public: str, options: MujobanOptions) -> list[str]:
    """The keys under which `kind` is shown."""
    names = [kind] if kind in options.observations else []
    return [*names, public] if options.public_names else names


def _proprioception(world: World) -> dict[str, np.ndarray]:
    """The walker's own senses, as dm_control's JumpingBallWithHead has them.

    Its only end effector is the head, given relative to the head: always zero. It has no sensors
    of touch; the public environment's `walker/sensors_touch`, of size 0, is left out.
    """
    data = world.simulation.data
    position, rotation = world.head
    sensors = data.sensordata
    values = (
        position[2],
        np.zeros(3),
        data.qpos[KICK : KICK + 1],
        data.qvel[KICK : KICK + 1],
        rotation,
        rotation[6:],
        sensors[0:3],
        sensors[3:6],
        sensors[6:9],
    )
    return {
        key: np.array(value, np.float32) for key, value in zip(_PROPRIOCEPTION, values, strict=True)
    }


def _position(world: World, boxes: int) -> dict[str, np.ndarray]:
    """Metres from the middle of the board, and of boxes also from the walker's head, in its axes.

    Boxes that the level lacks are at zero.
    """
    position, rotation = world.head
    places, seen = np.zeros((2, boxes, 3), np.float32)
    found = world.simulation.data.qpos[BOXES:].reshape(-1, 3)
    places[: len(found)] = found
    seen[: len(found)] = (found - position) @ rotation.reshape(3, 3)
    return {
        "walker/position": position.astype(np.float32),
        "boxes/position": places,
        "boxes/egocentric": seen,
    }
