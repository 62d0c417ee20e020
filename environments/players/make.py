"""Players of board games by name, such as `mixture(random, mcts(simulations=100), 0.25)`."""

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from environments.errors import UserError, unknown
from environments.games.board.game import BoardGame
from environments.players.base import Player


@dataclass(frozen=True)
class PlayerName:
    """A kind of player with all its arguments, in the order of the builder's parameters."""

    kind: str
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        shown = []
        for parameter, value in zip(_parameters(self.kind), self.arguments, strict=True):
            required = parameter.default is inspect.Parameter.empty
            shown.append(str(value) if required else f"{parameter.name}={value}")
        return f"{self.kind}({', '.join(shown)})" if shown else self.kind

    def build(self, game: BoardGame, seed: int) -> Player:
        """The player. Raises UserError if it cannot play `game`, or an argument is wrong."""
        return _KINDS[self.kind](game, seed, *self.arguments)


def make_player(text: str, game: BoardGame, seed: int) -> Player:
    """The player that `text` names; what is random in it follows from `seed`.

    Choices: random; optimal, for small games; mcts(simulations=100, exploration=2.0, rollouts=1);
    gnugo(level=1, timeout=60.0), for Go; mixture(A, B, p), which is A with probability p, else B.
    Raises UserError, one line, if there is no such player, or if it cannot play the game.
    """
    return parse_player(text).build(game, seed)


def parse_player(text: str) -> PlayerName:
    """What `text` says. Raises UserError if it names no player, or gives wrong arguments."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise _unreadable(text) from error
    return _player(node, text)


def _random(game: BoardGame, seed: int) -> Player:
    from environments.players.random import RandomPlayer

    return RandomPlayer(seed)


def _optimal(game: BoardGame, seed: int) -> Player:
    from environments.players.value_table import ValueTable

    return ValueTable(game, seed)


def _mcts(
    game: BoardGame,
    seed: int,
    simulations: int = 100,
    exploration: float = 2.0,
    rollouts: int = 1,
) -> Player:
    from environments.players.mcts import Mcts

    return Mcts(game, seed, simulations, exploration, rollouts)


def _gnugo(game: BoardGame, seed: int, level: int = 1, timeout: float = 60.0) -> Player:
    from environments.players.gnugo import GnuGo

    return GnuGo(game, seed, level, timeout)


def _mixture(
    game: BoardGame, seed: int, first: PlayerName, second: PlayerName, probability: float
) -> Player:
    from environments.players.mixture import Mixture, seeds_of

    seeds = seeds_of(seed)
    one = first.build(game, seeds[0])
    try:
        return Mixture(one, second.build(game, seeds[1]), probability, seeds[2])
    except BaseException:
        one.close()
        raise


# Each takes the game and a seed, then the arguments that may be written.
_KINDS: dict[str, Callable[..., Player]] = {
    "random": _random,
    "optimal": _optimal,
    "mcts": _mcts,
    "gnugo": _gnugo,
    "mixture": _mixture,
}
_WORDS = {int: "a whole number", float: "a number", PlayerName: "a player"}


def _parameters(kind: str) -> list[inspect.Parameter]:
    return list(inspect.signature(_KINDS[kind]).parameters.values())[2:]


def _unreadable(text: str) -> UserError:
    return UserError(f"{text!r} is no player: write one like random or mcts(simulations=100)")


def _player(node: ast.expr, text: str) -> PlayerName:
    function = node.func if isinstance(node, ast.Call) else node
    if not isinstance(function, ast.Name):
        raise _unreadable(text)
    if function.id not in _KINDS:
        raise unknown("player", function.id, _KINDS)
    positional = node.args if isinstance(node, ast.Call) else []
    keywords = node.keywords if isinstance(node, ast.Call) else []
    return PlayerName(function.id, _arguments(function.id, positional, keywords, text))


def _arguments(
    kind: str, positional: list[ast.expr], keywords: list[ast.keyword], text: str
) -> tuple[Any, ...]:
    parameters = {parameter.name: parameter for parameter in _parameters(kind)}
    if len(positional) > len(parameters):
        raise UserError(f"{kind} takes at most {len(parameters)} arguments: {text}")
    given = dict(zip(parameters, positional, strict=False))
    for keyword in keywords:
        if keyword.arg not in parameters:
            if not parameters:
                raise UserError(f"{kind} takes no arguments: {text}")
            raise unknown(f"argument of {kind}", str(keyword.arg), parameters)
        if keyword.arg in given:
            raise UserError(f"{kind}: {keyword.arg} is given twice: {text}")
        given[keyword.arg] = keyword.value
    values = []
    for parameter in parameters.values():
        if parameter.name in given:
            values.append(_argument(kind, parameter, given[parameter.name], text))
        elif parameter.default is inspect.Parameter.empty:
            raise UserError(f"{kind} needs {', '.join(parameters)}: {text}")
        else:
            values.append(parameter.default)
    return tuple(values)


def _argument(kind: str, parameter: inspect.Parameter, node: ast.expr, text: str) -> Any:
    wanted = parameter.annotation
    if wanted is PlayerName:
        return _player(node, text)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise _unreadable(text) from error
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise UserError(f"{kind}: {parameter.name} must be {_WORDS[wanted]}, not {value!r}")
    return value
