"""Environments of the board games from their options."""

from functools import partial

from environments.embedded.base import View
from environments.embedded.boards.embedding import AGENT, BoardEmbedding
from environments.embedded.boards.positions import one_move_wins
from environments.embedded.boards.registration import SECONDS_PER_CELL, BoardOptions
from environments.embedded.environment import EmbeddedEnvironment
from environments.embedded.sight import with_sight
from environments.games.board.game import board_game
from environments.games.board.positions import state_of
from environments.hints.make import with_hints
from environments.players.make import make_player
from environments.registry import name_of
from environments.seeds import OPPONENT, seed_of

_VIEWS = {"front_camera": "front", "front_camera_2": "front_2"}


def make(options: BoardOptions, seed: int) -> EmbeddedEnvironment:
    """The environment of these options.

    Raises UserError if their opponent or their expert cannot play the game.

    `seed` decides everything random, the opponent's play included.
    """
    game = board_game(options.openspiel)
    spec = options.board(game)
    embedding = BoardEmbedding(
        game,
        spec,
        make_player(options.opponent, game, seed_of(OPPONENT, seed)),
        observations=options.observations,
        random_plies=options.random_plies,
        reset_arm_after_move=options.reset_arm_after_move,
        public_names=options.public_names,
        starts=one_move_wins(game) if options.task == "win1" else (),
    )
    seen = with_sight(
        embedding,
        options.perception,
        name_of(options),
        _VIEWS,
        partial(state_of, game, player=AGENT),
    )
    hinted = with_hints(
        seen, options.hints, game.parsed.short, game, seed, seen=bool(options.perception)
    )
    views = {
        key: View(camera, *getattr(options, key))
        for key, camera in _VIEWS.items()
        if getattr(options, key) != (0, 0)
    }
    return EmbeddedEnvironment(
        hinted,
        time_limit=options.time_limit or SECONDS_PER_CELL * len(spec.cells),
        seed=seed,
        views=views,
    )
