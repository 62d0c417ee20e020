"""What an environment model is: pure functions from a frame and an action to what comes next.

A frame is one array of an observation (`planes` or `pixels`), of the environment's own shape and
dtype, so that whatever reads observations reads imagined frames too. Shape letters: `B` batch,
`H, W` board, `C` channels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax

from agents.base import Array, Metrics, Params


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Imagined:
    """What a model expects of one step: the likeliest, if the game is deterministic.

    Of what moves by chance the frame shows a draw, and the reward is the expected one.
    """

    frame: Array  # [B, H, W, C], of the dtype of the environment's frames
    reward: Array  # [B] float32


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Transitions:
    """`B` steps that were seen, in any order, to learn a model from or to judge it by."""

    frame: Array  # [B, H, W, C]
    action: Array  # [B] int32
    next_frame: Array  # [B, H, W, C]
    reward: Array  # [B] float32
    weight: Array  # [B] float32; 0 for a step across a reset, which counts for nothing


@dataclass(frozen=True)
class EnvironmentModel:
    """A model of a game with a few actions; learned, exact or deliberately useless."""

    key: str  # of the observation's array that it imagines
    num_actions: int
    # (key) -> params; {} for a model with nothing to learn
    init: Callable[[jax.Array], Params]
    # (params, frame [B, H, W, C], action [B] int32, keys [B] of JAX, by which a model of a game of
    # chance draws) -> Imagined
    step: Callable[[Params, Array, Array, jax.Array], Imagined]
    # (params, transitions) -> (loss [] float32, metrics); None if there is nothing to learn
    loss: Callable[[Params, Transitions], tuple[Array, Metrics]] | None = None
