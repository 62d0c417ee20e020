"""Names of OpenSpiel games with parameters, such as `go(board_size=7,komi=7.5)`: read and checked.

Everything is checked before OpenSpiel sees it, since it prints to stderr what it does not like.
"""

import ast
import difflib
from dataclasses import dataclass
from functools import cache
from typing import Any

from environments.errors import UserError, unknown

# The games whose layout is known; others are accepted if the automatic check passes.
GAMES = (
    "connect_four",
    "go",
    "gomoku",
    "havannah",
    "hex",
    "mnk",
    "othello",
    "tic_tac_toe",
    "y",
)

_MOVES_PIECES = "its moves carry a piece from one cell to another"
REFUSED = {
    "amazons": _MOVES_PIECES,
    "breakthrough": _MOVES_PIECES,
    "checkers": _MOVES_PIECES,
    "chess": _MOVES_PIECES,
    "clobber": _MOVES_PIECES,
    "dots_and_boxes": "its moves are edges between dots",
    "efg_game": "it is read from a file",
    "nfg_game": "it is read from a file",
    "nine_mens_morris": "its moves carry and remove pieces",
    "pentago": "its moves also turn a quadrant",
    "quoridor": "its moves carry a pawn or put up a wall",
    "twixt": "its pegs are joined by links, which cells do not show",
    "ultimate_tic_tac_toe": "its moves also choose the board to play on",
}

# How the state is shown, which is this adapter's business.
_DISPLAY = {"plain_obs_tensor", "egocentric_obs_tensor", "ansi_color_output"}
# Parameters whose other values make moves that are no stone on an empty cell, or have no board.
_FIXED = {("hex", "swap"): False, ("havannah", "swap"): False, ("gomoku", "dims"): 2}
_SIZES = (1, 26)  # every other whole number, but for these
_RANGES = {("go", "board_size"): (2, 19), ("go", "handicap"): (0, 9)}
_RANGES |= {("go", "max_game_length"): (0, 10_000)}


@dataclass(frozen=True)
class GameName:
    """A game and its parameters, all known to be right one by one."""

    short: str  # OpenSpiel's short name
    parameters: tuple[tuple[str, Any], ...]  # sorted; a value may be a GameName

    def __str__(self) -> str:
        given = ",".join(f"{key}={value}" for key, value in self.parameters)
        return f"{self.short}({given})" if given or self.parameters else self.short

    @property
    def openspiel(self) -> str:
        """As `pyspiel.load_game` reads it."""
        given = [
            f"{key}={value.openspiel if isinstance(value, GameName) else value}"
            for key, value in self.parameters
        ]
        return f"{self.short}({','.join(given)})"


def parse(text: str) -> GameName:
    """The game that `text` names. Raises UserError, one line, for whatever is wrong with it."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise _unreadable(text) from error
    return _game(node, text)


def _unreadable(text: str) -> UserError:
    return UserError(f"{text!r} is no game: write one like hex or hex(board_size=5)")


def _game(node: ast.expr, text: str) -> GameName:
    function = node.func if isinstance(node, ast.Call) else node
    keywords = node.keywords if isinstance(node, ast.Call) else []
    given = {keyword.arg: keyword.value for keyword in keywords if keyword.arg}
    plain = not isinstance(node, ast.Call) or not node.args
    if not isinstance(function, ast.Name) or not plain or len(given) < len(keywords):
        raise _unreadable(text)
    return _checked(function.id, given, text)


@cache
def _specifications() -> dict[str, dict[str, Any]]:
    """The parameters of every game of OpenSpiel, with their defaults."""
    import pyspiel

    return {kind.short_name: kind.parameter_specification for kind in pyspiel.registered_games()}


def _checked(short: str, nodes: dict[str, ast.expr], text: str) -> GameName:
    known = _specifications()
    if short in REFUSED:
        raise UserError(f"{short} cannot be played on cells: {REFUSED[short]}")
    if short not in known:
        raise _no_game(short, known)
    given = {key: _parameter(short, key, node, known[short], text) for key, node in nodes.items()}
    for key, default in known[short].items():
        if isinstance(default, dict) and key not in given:
            raise UserError(f"{short} needs a {key}: {short}({key}=tic_tac_toe)")
    if short == "go":
        given = _go(given)
    return GameName(short, tuple(sorted(given.items())))


def _no_game(short: str, known: dict[str, Any]) -> UserError:
    close = difflib.get_close_matches(short, known, n=1)
    if close and close[0] not in GAMES:
        return UserError(f"OpenSpiel has no game {short!r}; did you mean {close[0]!r}?")
    return unknown("board game", short, GAMES)


def _parameter(
    short: str, key: str, node: ast.expr, specification: dict[str, Any], text: str
) -> Any:
    """The value as OpenSpiel wants it. Raises UserError if the game cannot have it."""
    texts = {k for k, default in specification.items() if isinstance(default, str)}
    choices = sorted(set(specification) - texts - _DISPLAY)
    if key not in choices:
        if not choices:
            raise UserError(f"{short} has no parameter {key!r}: it has none at all")
        raise unknown(f"parameter of {short}", key, choices)
    default = specification[key]
    if isinstance(default, dict):
        game = _game(node, text)
        if game.short == "go":
            raise UserError(f"{short}: Go is not supported inside another game")
        return game
    value = _literal(node)
    if type(default) is float and type(value) is int:
        value = float(value)
    if type(value) is not type(default):
        kinds = {bool: "True or False", float: "a number", int: "a whole number"}
        wanted = kinds[type(default)]
        raise UserError(f"{short}: {key} must be {wanted}, not {ast.unparse(node)}")
    if (short, key) in _FIXED and value != _FIXED[short, key]:
        raise UserError(f"{short}: {key} must be {_FIXED[short, key]} to be played on cells")
    if type(value) is int:
        low, high = _RANGES.get((short, key), _SIZES)
        if not low <= value <= high:
            raise UserError(f"{short}: {key} must be from {low} to {high}, not {value}")
    return value


def _literal(node: ast.expr) -> Any:
    """The value written there, OpenSpiel's true and false included; None if it is no constant."""
    if isinstance(node, ast.Name) and node.id in ("true", "false"):
        return node.id == "true"
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return None


def _go(given: dict[str, Any]) -> dict[str, Any]:
    """Go's parameters with board size and komi always written out: they decide results."""
    given = {"board_size": 19, "komi": 7.5} | given
    if given["komi"] % 1 != 0.5 or abs(given["komi"]) > 400:
        komi = given["komi"]
        raise UserError(f"go: komi must be a half such as 7.5, so that nobody ties; not {komi}")
    if given.get("handicap", 0) and given["board_size"] != 19:
        raise UserError("go: handicap needs board_size=19")
    return given
