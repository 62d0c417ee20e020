"""Who searches before every move: by itself, or with a trained network as prior and value."""

from dataclasses import replace
from typing import TYPE_CHECKING

import jax.numpy as jnp

from agents.base import Params
from agents.models.config import ModelConfig
from agents.models.make import make_model
from agents.search.agent import Predict, make_search
from agents.search.config import SearchOptions
from agents.search.endings import ending
from environments.errors import UserError
from environments.games.sokoban.observations import observe
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.spec import board_of, sokoban_spec
from environments.registry import EnvironmentOptions, build_batched, name_of
from launch.evaluation import Contestant
from launch.suite_options import on_suite

if TYPE_CHECKING:
    from launch.policy import Policy


def search_baseline(options: EnvironmentOptions, suite: str, simulations: int) -> Contestant:
    """Search without a network, on boards of the size of `suite`'s.

    Raises UserError if the game is not symbolic Sokoban.
    """
    options = replace(_on_planes(on_suite(options, suite)), board=(0, 0))
    board = board_of(build_batched(options).spec)
    return _contestant("mcts", 0, options, board, SearchOptions(simulations), None, {})


def search_of(run: str, policy: "Policy", simulations: int) -> Contestant:
    """Search with the network of a run as prior and value of positions.

    Raises UserError if the game is not symbolic Sokoban, or the agent has no prior and value of a
    single position, because it has memory.
    """
    predict, experiment = policy.agent.predict, policy.experiment
    options = _on_planes(experiment.environment)
    if predict is None:
        raise UserError(
            "--simulations needs an agent without memory (cnn, resnet), whose prior and value of "
            f"a position a tree can use; that of {run} has none: leave it out, or evaluate mcts"
        )
    search = SearchOptions(
        simulations, discount=getattr(experiment.agent, "discount", SearchOptions.discount)
    )
    kinds = tuple(policy.spec.observation)  # the tree holds planes; the network may see pixels
    return _contestant(
        run,
        policy.frames,
        options,
        board_of(policy.spec),
        search,
        lambda params, frame: predict(params, observe(kinds, frame, jnp)),
        policy.params,
    )


def _on_planes(options: EnvironmentOptions) -> SokobanOptions:
    """The options, with the one kind of observation that shows all there is to know."""
    if not isinstance(options, SokobanOptions):
        raise UserError(
            f"search plays sokoban, whose rules and end it knows; not {name_of(options)}"
        )
    return replace(options, observations=("planes",))


def _contestant(
    run: str,
    frames: int,
    options: SokobanOptions,
    board: tuple[int, int],
    search: SearchOptions,
    predict: Predict | None,
    params: Params,
) -> Contestant:
    spec = sokoban_spec(board, options)
    model = make_model(ModelConfig(game="sokoban", kind="perfect"), spec)
    agent = make_search(model, ending("sokoban", model.key), search, predict)
    return Contestant(run, frames, agent, {"model": {}, "policy": params}, options, spec)
