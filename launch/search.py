"""Who searches before every move: by itself, or with a trained network as prior and value."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import jax.numpy as jnp

from agents.base import Params
from agents.models.base import EnvironmentModel
from agents.models.config import ModelConfig
from agents.models.make import make_model
from agents.search.agent import Predict, make_search
from agents.search.config import SearchOptions
from agents.search.endings import ending
from environments.base import EnvironmentSpec
from environments.errors import UserError
from environments.games.sokoban.observations import observe
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.spec import board_of, sokoban_spec
from environments.registry import EnvironmentOptions, build_batched, name_of
from launch.evaluation import Contestant
from launch.pretrained import is_pretrained
from launch.suite_options import on_suite

if TYPE_CHECKING:
    from launch.policy import Policy


def search_baseline(
    options: EnvironmentOptions, suite: str, simulations: int, model: Path | None = None
) -> Contestant:
    """Search without a network, on boards of the size that `options` have, or else `suite`'s.

    Args:
      options: of the environment.
      suite: the first that is played.
      simulations: before every move.
      model: a run that has learnt one; None for the rules.

    Raises UserError if the game is not symbolic Sokoban, or the run has learnt no model of it.
    """
    options = _on_planes(on_suite(options, suite))
    board = board_of(build_batched(options).spec)
    search = SearchOptions(simulations)
    return _contestant("mcts", 0, options, board, search, model, None, {})


def search_of(
    run: str, policy: "Policy", simulations: int, model: Path | None = None
) -> Contestant:
    """Search with the network of a run as prior and value of positions; see `search_baseline`.

    Raises UserError also if the agent has no prior and value of a single position, because it has
    memory.
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
        model,
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
    model_run: Path | None,
    predict: Predict | None,
    params: Params,
) -> Contestant:
    spec = sokoban_spec(board, options)
    model, model_params, model_frames = _model(model_run, spec)
    agent = make_search(model, ending("sokoban", model.key), search, predict)
    together = {"model": model_params, "policy": params}
    return Contestant(
        *(run, frames, agent, together, options, spec),
        simulations=search.simulations,
        model=_name(model_run),
        model_frames=model_frames,
    )


def _name(run: Path | None) -> str:
    """Of the run of a model, as results have it: the same from any working directory."""
    if run is None:
        return ""
    return str(run) if is_pretrained(run) else str(run.resolve())


def _model(run: Path | None, spec: EnvironmentSpec) -> tuple[EnvironmentModel, Params, int]:
    """The rules, or what a run has learnt of them; their parameters; and the frames that took."""
    if run is None:
        return make_model(ModelConfig(game="sokoban", kind="perfect"), spec), {}, 0
    from launch.policy import load_policy

    learnt = load_policy(run)
    config = getattr(learnt.experiment.agent, "model", None)
    if not isinstance(config, ModelConfig) or (config.game, config.kind) != ("sokoban", "learned"):
        raise UserError(f"--model: {run} has learnt no model of sokoban; give one that has")
    seen, needed = ", ".join(learnt.spec.observation), ", ".join(spec.observation)
    if seen != needed:
        raise UserError(f"--model: {run} imagines {seen}; search needs {needed}")
    return make_model(config, spec), learnt.params["model"], learnt.frames
