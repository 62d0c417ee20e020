"""Who may advise: players by name, and trained policies, which `launch` knows how to load."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from environments.errors import UserError

if TYPE_CHECKING:
    from environments.players.base import Player

# (run folder, name of the symbolic environment, size of the board) -> who plays it as the policy
# does; environments know no agent.
PolicyLoader = Callable[[str, str, tuple[int, int]], "Player"]
_loader: PolicyLoader | None = None


def use_policies(loader: PolicyLoader) -> None:
    """Has `loader` make experts of run folders from now on."""
    global _loader
    _loader = loader


def is_run(expert: str) -> bool:
    """Whether an expert's name is that of a run folder, not of a player."""
    return "/" in expert or expert.startswith("pretrained:")


def make_expert(expert: str, symbolic: str, game: Any, seed: int) -> "Player":
    """The expert for a game.

    Args:
      expert: a player of the game, or a run folder (with a slash) of one of its policies.
      symbolic: name of the symbolic environment: sokoban, tic_tac_toe, ...
      game: of board games the `BoardGame`; of Sokoban the shape of its boards.
      seed: decides what is random in it.

    Raises:
      UserError: there is no such player, it does not play the game, or the run is no policy of it.
    """
    if is_run(expert):
        if _loader is None:
            raise UserError(
                f"hints.expert={expert}: policies as experts are loaded by moravec; import launch"
            )
        return _loader(expert, symbolic, game if symbolic == "sokoban" else game.shape)
    if symbolic == "sokoban":
        if expert != "solver":
            raise UserError(
                f"hints.expert={expert}: Sokoban's experts are solver, and run folders of policies"
            )
        from environments.players.sokoban.player import SokobanSolver

        return SokobanSolver()
    from environments.players.make import make_player

    return make_player(expert, game, seed)
