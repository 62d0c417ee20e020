"""Puts hints on an embedding, where its options ask for them."""

from typing import Any

from environments.embedded.base import Embedding
from environments.errors import UserError
from environments.hints.embedding import HintedEmbedding
from environments.hints.experts import make_expert
from environments.hints.options import HintOptions
from environments.seeds import EXPERT, seed_of


def with_hints(
    embedding: Embedding,
    options: HintOptions,
    symbolic: str,
    game: Any,
    seed: int,
    *,
    seen: bool = False,
) -> Embedding:
    """The embedding with an expert's hints; itself if `options` name no expert.

    Args:
      embedding: of the game.
      options: of the hints.
      symbolic: name of the symbolic environment.
      game: see `make_expert`.
      seed: of the environment; what is random in the expert follows from it.
      seen: whether its states are read from pictures, and may be wrong.

    Raises:
      UserError: the expert cannot play the game, or the options do not fit it.
    """
    if not options.expert:
        return embedding
    if options.single and "loss" not in embedding.outcomes:
        raise UserError("hints.single is for board games: a move of Sokoban wins and loses nothing")
    if options.until_lost and symbolic != "sokoban":
        raise UserError("hints.until_lost is for Sokoban: board games end by themselves")
    if options.until_lost and seen:
        raise UserError(
            "hints.until_lost cannot go with perception, since a board that is misread may look "
            "lost: leave it out (--environment.hints.until-lost False)"
        )
    expert = make_expert(options.expert, symbolic, game, seed_of(EXPERT, seed))
    return HintedEmbedding(embedding, expert, options)
