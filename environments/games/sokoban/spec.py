"""The specification of Sokoban, which both faces have, and what it tells of the board."""

import numpy as np
from dm_env import specs

from environments.games.sokoban import rules
from environments.games.sokoban.observations import SPRITE_SIZE, observation_spec
from environments.games.sokoban.registration import SokobanOptions
from environments.single import EnvironmentSpec


def sokoban_spec(shape: tuple[int, int], options: SokobanOptions) -> EnvironmentSpec:
    """The spec of Sokoban on a board of shape `H, W`."""
    actions = len(rules.ACTIONS) if options.noop else len(rules.ACTIONS) - 1
    return EnvironmentSpec(
        observation={kind: observation_spec(kind, shape) for kind in options.observations},
        action=specs.DiscreteArray(actions, dtype=np.int32, name="action"),
        outcomes=rules.OUTCOMES,
    )


def board_of(spec: EnvironmentSpec) -> tuple[int, int]:
    """The board size `H, W` that observations of `spec` show."""
    kind, array = next(iter(spec.observation.items()))
    cell = SPRITE_SIZE if kind == "sprites" else 1
    return array.shape[0] // cell, array.shape[1] // cell
