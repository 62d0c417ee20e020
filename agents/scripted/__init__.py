"""Scripts that play games: baselines, and a proof that the embedded ones can be played."""

from collections.abc import Callable

import dm_env
import numpy as np

from environments.embedded.environment import EmbeddedEnvironment
from environments.errors import UserError
from environments.games.sokoban.environment import Sokoban

Script = Callable[[dm_env.TimeStep], np.ndarray]


def make_scripted(environment: dm_env.Environment) -> Script:
    """The script that plays `environment`; it reads the simulator, and begins anew at a FIRST.

    Raises UserError if nobody has written one for this game.
    """
    if isinstance(environment, Sokoban):
        from agents.scripted.moves import MovesScript

        return MovesScript(environment)
    if isinstance(environment, EmbeddedEnvironment):
        embedding = environment.embedding.innermost
        from environments.embedded.mujoban.embedding import Mujoban

        if isinstance(embedding, Mujoban):
            from agents.scripted.ball import BallScript

            return BallScript(environment)
        from environments.embedded.boards.embedding import BoardEmbedding

        if isinstance(embedding, BoardEmbedding):
            from agents.scripted.arm import ArmScript

            return ArmScript(environment)
    raise UserError(
        "there is no script for this game; scripts play sokoban, mujoban, mujoxo, mujogo and "
        "touch_board"
    )
