"""What a player is: it gives advice on a position, whether as opponent, expert or baseline."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

# advised: `action` is to be played. solved: the game is over, nothing is to be done.
# unsolvable: it is proved that the position cannot be won. gave_up: no answer was found within
# the limits. failed: the player itself broke (its process died, say).
Status = Literal["advised", "solved", "unsolvable", "gave_up", "failed"]


@dataclass(frozen=True)
class Advice:
    """What a player says about one position."""

    status: Status
    action: int | None = None  # an abstract action of the game; None unless advised
    target_planes: np.ndarray | None = None  # `[H, W, C] bool`, the board after `action`
    plan: tuple[int, ...] = ()  # the actions ahead, `action` first; () where there is no plan
    value: float | None = None  # what the player expects: its own scale, higher is better


@runtime_checkable
class Player(Protocol):
    """Plays a game by its rules. One player serves one game at a time, in one thread.

    What is random in a player follows from the seed that it was built with, and is part of its
    snapshot.
    """

    def advise(self, state: Any, deadline: float | None = None) -> Advice:
        """Advice on `state`, a state of the game's rules, by `deadline` (time.monotonic, s).

        Never raises for a position that is legal: what goes wrong is in the advice's status.
        """
        ...

    def reseed(self, seed: int) -> None:
        """Becomes as a player built alike with `seed` is at first."""
        ...

    def snapshot(self) -> Any:
        """All that changes in the player, picklable; for `restore` of a player built alike."""
        ...

    def restore(self, snapshot: Any) -> None:
        """Goes back to where `snapshot` was taken."""
        ...

    def close(self) -> None:
        """Frees processes and files; the player cannot be used after it.

        Any thread may call it, also while `advise` runs: that ends soon then, if it can.
        """
        ...


@runtime_checkable
class PlayerWithMemory(Player, Protocol):
    """A player that remembers more of a game than the position says."""

    def begin(self) -> None:
        """A new game begins with the next position: what is remembered is forgotten."""
        ...
