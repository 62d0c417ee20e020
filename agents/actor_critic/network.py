"""What an actor-critic network is, and the heads that all of them share.

Shape letters: `T` time, `B` batch, `A` actions, `F` features.
"""

from collections.abc import Callable
from dataclasses import dataclass

import haiku as hk
import jax

from agents.base import Core
from environments.base import Observation


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class NetworkOutput:
    """What every actor-critic network gives."""

    logits: jax.Array  # [T, B, A] float32
    value: jax.Array  # [T, B] float32


@dataclass(frozen=True)
class Network:
    """An actor-critic network.

    `unroll` is called inside a Haiku transform, time-major: `(observation [T, B, ...],
    is_first [T, B], core [B, ...]) -> (NetworkOutput, core)`; it clears the core at each
    `is_first` before using it.
    """

    unroll: Callable[[Observation, jax.Array, Core], tuple[NetworkOutput, Core]]
    initial_core: Callable[[int], Core]


class Heads(hk.Module):
    """Linear policy and value heads on features `[T, B, F]`; orthogonal weights, zero biases."""

    def __init__(self, num_actions: int):
        super().__init__(name="heads")
        self._num_actions = num_actions

    def __call__(self, features: jax.Array) -> NetworkOutput:
        orthogonal = hk.initializers.Orthogonal()
        logits = hk.Linear(self._num_actions, w_init=orthogonal, name="policy")(features)
        value = hk.Linear(1, w_init=orthogonal, name="value")(features)
        return NetworkOutput(logits=logits, value=value[..., 0])
