"""The specification of MiniPacman, which both faces have."""

import numpy as np
from dm_env import specs

from environments.games.minipacman import rules
from environments.games.minipacman.observations import observation_spec
from environments.games.minipacman.registration import MiniPacmanOptions
from environments.single import EnvironmentSpec


def minipacman_spec(options: MiniPacmanOptions) -> EnvironmentSpec:
    """The spec of MiniPacman."""
    return EnvironmentSpec(
        observation={kind: observation_spec(kind) for kind in options.observations},
        action=specs.DiscreteArray(len(rules.ACTIONS), dtype=np.int32, name="action"),
        outcomes=rules.OUTCOMES,
    )
