"""A player that at every move is one of two others, by chance."""

from typing import Any

import numpy as np

from environments.errors import UserError
from environments.players.base import Advice, Player


def seeds_of(seed: int) -> list[int]:
    """The seeds of the first player, of the second, and of the choice between them."""
    return [int(word) for word in np.random.SeedSequence(seed).generate_state(3)]


class Mixture:
    """Asks `first` with the given probability, else `second`; independently at every move."""

    def __init__(self, first: Player, second: Player, probability: float, seed: int):
        """Takes over both players: they are closed with it. Raises UserError if not in [0, 1]."""
        if not 0 <= probability <= 1:
            raise UserError(f"mixture: the probability must be from 0 to 1, not {probability}")
        self._players = (first, second)
        self._probability = probability
        self._rng = np.random.default_rng(seed)

    def advise(self, state: Any, deadline: float | None = None) -> Advice:
        """See `Player.advise`."""
        chosen = 0 if self._rng.random() < self._probability else 1
        return self._players[chosen].advise(state, deadline)

    def reseed(self, seed: int) -> None:
        """See `Player.reseed`."""
        *seeds, own = seeds_of(seed)
        self._rng = np.random.default_rng(own)
        for player, each in zip(self._players, seeds, strict=True):
            player.reseed(each)

    def snapshot(self) -> Any:
        """The random generator's state, and both players' snapshots."""
        players = tuple(player.snapshot() for player in self._players)
        return self._rng.bit_generator.state, players

    def restore(self, snapshot: Any) -> None:
        """See `Player.restore`."""
        self._rng.bit_generator.state, players = snapshot
        for player, state in zip(self._players, players, strict=True):
            player.restore(state)

    def close(self) -> None:
        """Closes both players."""
        for player in self._players:
            player.close()
