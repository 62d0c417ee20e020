"""What both faces of a symbolic board game share: specification, outcomes, rewards, levels."""

import numpy as np
from dm_env import specs

from environments.games.board.registration import BoardGameOptions
from environments.games.board.rules import PLANES
from environments.single import EnvironmentSpec

OUTCOMES = ("win", "draw", "loss", "unfinished")
REWARDS = {"win": 1.0, "draw": 0.0, "loss": -1.0, "unfinished": 0.0}


def board_spec(shape: tuple[int, int], num_actions: int) -> EnvironmentSpec:
    """The spec of a game on boards of shape `H, W` with `A` actions."""
    return EnvironmentSpec(
        observation={
            "planes": specs.Array((*shape, len(PLANES)), bool, name="planes"),
            "player": specs.Array((*shape, 1), bool, name="player"),
            "legal_actions": specs.Array((num_actions,), bool, name="legal_actions"),
        },
        action=specs.DiscreteArray(num_actions, dtype=np.int32, name="action"),
        outcomes=OUTCOMES,
    )


def starts_second(options: BoardGameOptions) -> tuple[bool, ...]:
    """For each level, whether the agent is the second player on it."""
    return {"agent": (False,), "opponent": (True,), "either": (False, True)}[options.begins]
