"""What a suite makes of the options of an environment."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from environments.errors import UserError
from environments.registry import EnvironmentOptions, entry, name_of
from experiments.base import Experiment
from experiments.suites import levels_of

if TYPE_CHECKING:
    from environments.base import EnvironmentSpec


def on_suite(options: EnvironmentOptions, suite: str) -> EnvironmentOptions:
    """The options of an environment over `suite`; as they are if it is empty.

    A suite is a registered one or a level source; in a two-player game, an opponent.

    Raises UserError if there is no such suite, or the game takes none.
    """
    if not suite:
        return options
    for field, value in (("levels", levels_of), ("opponent", str)):
        if hasattr(options, field):
            return replace(options, **{field: value(suite)})
    raise UserError(f"{name_of(options)} has no level sets: leave --suite out")


def suites_of(experiment: Experiment, options: EnvironmentOptions) -> tuple[str, ...]:
    """What a run is evaluated on in an environment of these options, unless suites are named.

    The suites of its experiment; if `options` have other levels or another opponent, these.
    """
    for field in ("levels", "opponent"):
        chosen = getattr(options, field, "")
        if chosen != getattr(experiment.environment, field, ""):
            return (chosen,)
    return experiment.evaluation.suites


def on_boards_of(options: Any, spec: "EnvironmentSpec") -> EnvironmentOptions:
    """The same; of Sokoban, if no size is chosen, on boards of the size that `spec` shows."""
    from environments.games.sokoban.registration import SokobanOptions
    from environments.games.sokoban.spec import board_of

    if not isinstance(options, SokobanOptions) or options.board != (0, 0):
        return options
    return replace(options, board=board_of(spec))


def has_level_sets(options: EnvironmentOptions) -> bool:
    """Whether levels are an option of the game: a suite of it then ends with its last level."""
    return hasattr(options, "levels")


def in_batch(options: EnvironmentOptions, suite: str) -> bool:
    """Whether the batched face can play `suite`: there is one, and the opponent plays in it.

    Raises UserError if there is no such suite.
    """
    from environments.games.board.registration import BoardGameOptions

    options = on_suite(options, suite)
    if not isinstance(options, BoardGameOptions):
        return entry(name_of(options)).batched is not None
    from environments.games.board.opponents import plays_inside
    from environments.players.make import parse_player

    return plays_inside(parse_player(options.opponent))


def told(options: Any) -> EnvironmentOptions:
    """The same with hints in every episode, to its end, if there are any."""
    if not hasattr(options, "hints"):
        return options
    return replace(options, hints=replace(options.hints, dropout=0.0, until_lost=False))
