"""What an actor-critic network is, and the heads that all of them share.

Shape letters: `T` time, `B` batch, `F` features, `P` numbers that parametrise the policy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import haiku as hk
import jax

from agents.actor_critic.policies import Policy
from agents.base import Core, Params


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class NetworkOutput:
    """What every actor-critic network gives."""

    logits: jax.Array  # [T, B, P] float32, whose meaning is the policy's
    value: jax.Array  # [T, B] float32
    # Losses beside the actor-critic's, by name, each [T, B] float32.
    auxiliary: dict[str, jax.Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """An actor-critic network.

    `unroll` is called inside a Haiku transform, time-major: `(observation [T, B, ...],
    is_first [T, B], core [B, ...], **frozen) -> (NetworkOutput, core)`; it clears the core at
    each `is_first` before using it.
    """

    unroll: Callable[..., tuple[NetworkOutput, Core]]
    initial_core: Callable[[int], Core]
    # How each part that learning leaves as it is begins: (key) -> params. `unroll` is given it by
    # its name, and the agent's parameters are then {"agent": what learns, NAME: ...}.
    frozen: Mapping[str, Callable[[jax.Array], Params]] = field(default_factory=dict)
    # Weights of `NetworkOutput.auxiliary`.
    auxiliary_costs: Mapping[str, float] = field(default_factory=dict)


class Heads(hk.Module):
    """Linear policy and value heads on features `[T, B, F]`; orthogonal weights, zero biases."""

    def __init__(self, policy: Policy):
        super().__init__(name="heads")
        self._policy = policy

    def __call__(self, features: jax.Array) -> NetworkOutput:
        orthogonal = hk.initializers.Orthogonal
        scale = self._policy.head_scale
        logits = hk.Linear(self._policy.size, w_init=orthogonal(scale), name="policy")(features)
        value = hk.Linear(1, w_init=orthogonal(), name="value")(features)
        return NetworkOutput(logits=logits, value=value[..., 0])
