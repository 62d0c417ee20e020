"""Opponents inside JAX: the players of a game that choose a move without leaving the program.

A policy is a pytree; its `weights` say how likely it plays each action on one board.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from environments.errors import UserError
from environments.games.board import rules
from environments.games.board.game import BoardGame, BoardState
from environments.players.make import PlayerName, parse_player

MAX_CELLS = 9  # of a game whose every position has a row in a table


class Opponent(Protocol):
    """Chooses moves on one board; of many under `jax.vmap`."""

    def weights(self, planes: jax.Array, legal: jax.Array) -> jax.Array:
        """`[A] float32`, which sum to 1.

        Args:
          planes: `[H, W, 3] bool` in the order of `rules.PLANES`.
          legal: `[A] bool`, at least one of them set.
        """
        ...


@partial(jax.tree_util.register_dataclass, data_fields=[], meta_fields=["pass_action"])
@dataclass(frozen=True)
class Random:
    """All legal actions alike; a pass, if there is one, only when nothing else is legal."""

    pass_action: int | None

    def weights(self, planes: jax.Array, legal: jax.Array) -> jax.Array:
        """See `Opponent.weights`."""
        del planes
        if self.pass_action is not None:
            passing = jnp.arange(len(legal)) == self.pass_action
            legal = jnp.where(jnp.any(legal & ~passing), legal & ~passing, legal)
        return legal / jnp.sum(legal)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Optimal:
    """All actions of the highest value alike, looked up."""

    table: jax.Array  # [3 ** cells, A] bool, by `_number`

    def weights(self, planes: jax.Array, legal: jax.Array) -> jax.Array:
        """See `Opponent.weights`."""
        del legal
        best = self.table[_number(planes, jnp)]
        return best / jnp.maximum(jnp.sum(best), 1)


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["first", "second"],
    meta_fields=["probability"],
)
@dataclass(frozen=True)
class Mixture:
    """`first` with the given probability, else `second`; independently at every move."""

    first: Opponent
    second: Opponent
    probability: float

    def weights(self, planes: jax.Array, legal: jax.Array) -> jax.Array:
        """See `Opponent.weights`."""
        first, second = (each.weights(planes, legal) for each in (self.first, self.second))
        return self.probability * first + (1 - self.probability) * second


def make_opponent(name: str, game: BoardGame) -> Opponent:
    """The opponent that `name` describes, as `players.make.make_player` reads it.

    Raises UserError if it cannot play this game, or not inside JAX.
    """
    return _made(parse_player(name), game)


def plays_inside(name: PlayerName) -> bool:
    """Whether this kind of player can play inside JAX; for which games is another question."""
    if name.kind == "mixture":
        return all(plays_inside(each) for each in name.arguments[:2])
    return name.kind in ("random", "optimal")


def _made(name: PlayerName, game: BoardGame) -> Opponent:
    name.build(game, 0).close()  # refuses what the player itself would
    if name.kind == "random":
        return Random(game.pass_action)
    if name.kind == "optimal" and game.shape[0] * game.shape[1] <= MAX_CELLS:
        return Optimal(jnp.asarray(optimal_table(game)))
    if name.kind == "mixture":
        first, second, probability = name.arguments
        return Mixture(_made(first, game), _made(second, game), probability)
    raise UserError(
        f"{name} does not play in the batched face of {game.name}, which has random, "
        f"optimal (up to {MAX_CELLS} cells) and mixtures of them"
    )


@cache
def optimal_table(game: BoardGame) -> np.ndarray:
    """The best actions of every position that can be reached, `[3 ** cells, A] bool`."""
    from environments.players.value_table import best_actions, values_of

    values = values_of(game)
    table = np.zeros((3 ** (game.shape[0] * game.shape[1]), game.num_actions), bool)
    for number, state in _positions(game):
        table[number, best_actions(state, values)[0]] = True
    return table


def _positions(game: BoardGame) -> Iterator[tuple[int, BoardState]]:
    """Every position that can be reached and is not the end, once, with its number."""
    seen, waiting = set(), [game.initial_state()]
    while waiting:
        state = waiting.pop()
        number = int(_number(state.planes, np))
        if number in seen or not state.legal.any():
            continue
        seen.add(number)
        yield number, state
        waiting += [rules.apply(state, action) for action in np.flatnonzero(state.legal)]


def _number(planes, xp):
    """A board `[H, W, 3] bool` as a number in base 3, `[]`."""
    cells = (planes[..., 1] + 2 * planes[..., 2]).reshape(-1)
    return xp.sum(cells * 3 ** xp.arange(len(cells)))
