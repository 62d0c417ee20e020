"""Distributions over actions: categorical for one of a few, Gaussian for bounded vectors.

A policy turns what the heads give (`logits`, `[..., size]` float32) into actions and their
log-probabilities; it has no parameters of its own.

Shape letters: `A` actions to choose from, `K` numbers of a continuous action.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np
from dm_env import specs

from agents.inputs import mask_key
from environments.base import Array, EnvironmentSpec, Observation
from environments.errors import UserError

# Standard deviations, in units in which an action's bounds are -1 and 1: the least, the one with
# which learning begins (some 5 % of samples at a bound), and the most (a third of them). Beyond
# that clipping would hide from the reward what the mean is, and the entropy, which knows nothing
# of clipping, would grow on.
MIN_STD, INIT_STD, MAX_STD = 0.1, 0.5, 1.0
_ILLEGAL = -1e9  # the logit of an action that may not be chosen


class Policy(Protocol):
    """What acting and the loss ask of a distribution over actions."""

    @property
    def size(self) -> int:
        """How many numbers the policy's head gives."""
        ...

    @property
    def head_scale(self) -> float:
        """The scale of the orthogonal weights with which that head begins."""
        ...

    def restricted(self, logits: jax.Array, observation: Observation) -> jax.Array:
        """The logits of what may be done now; all else takes these, but `penalty` the others."""
        ...

    def sample(self, key: jax.Array, logits: jax.Array) -> tuple[jax.Array, dict[str, Array]]:
        """An action in the environment's units, and what `log_prob` must know of it besides."""
        ...

    def mode(self, logits: jax.Array) -> tuple[jax.Array, dict[str, Array]]:
        """Likewise the likeliest action."""
        ...

    def log_prob(self, logits: jax.Array, action: Array, extras: dict[str, Array]) -> jax.Array:
        """`[...]`: the log-probability, or its density's, of what `sample` gave."""
        ...

    def log_prob_and_entropy(
        self, logits: jax.Array, action: Array, extras: dict[str, Array]
    ) -> tuple[jax.Array, jax.Array]:
        """`[...]` and `[...]`, in nats: `log_prob`, and the entropy."""
        ...

    def penalty(self, logits: jax.Array) -> jax.Array:
        """`[...]`: the sum of squares that `logits_l2` weighs."""
        ...


@dataclass(frozen=True)
class Categorical:
    """One of `size` actions; its logits are `[..., A]`.

    If `mask` names an array `[..., A] bool` of the observation, illegal actions have probability
    0 and no gradient. Where nothing is legal, as at the end of a game, all actions are alike.
    """

    size: int
    head_scale: float = 1.0
    mask: str | None = None

    def restricted(self, logits: jax.Array, observation: Observation) -> jax.Array:
        """See `Policy`."""
        if self.mask is None:
            return logits
        # Finite: with -inf, 0 * log 0 would make entropies and gradients NaN.
        return jnp.where(observation[self.mask], logits, _ILLEGAL)

    def sample(self, key: jax.Array, logits: jax.Array) -> tuple[jax.Array, dict[str, Array]]:
        """See `Policy`."""
        return jax.random.categorical(key, logits).astype(jnp.int32), {}

    def mode(self, logits: jax.Array) -> tuple[jax.Array, dict[str, Array]]:
        """See `Policy`."""
        return jnp.argmax(logits, axis=-1).astype(jnp.int32), {}

    def log_prob(self, logits: jax.Array, action: Array, extras: dict[str, Array]) -> jax.Array:
        """See `Policy`."""
        return self.log_prob_and_entropy(logits, action, extras)[0]

    def log_prob_and_entropy(
        self, logits: jax.Array, action: Array, extras: dict[str, Array]
    ) -> tuple[jax.Array, jax.Array]:
        """See `Policy`."""
        del extras
        log_policy = jax.nn.log_softmax(logits)
        log_prob = jnp.take_along_axis(log_policy, action[..., None], axis=-1)[..., 0]
        return log_prob, -jnp.sum(jnp.exp(log_policy) * log_policy, axis=-1)

    def penalty(self, logits: jax.Array) -> jax.Array:
        """See `Policy`."""
        return jnp.sum(jnp.square(logits), axis=-1)


@dataclass(frozen=True)
class ClippedGaussian:
    """Independent Gaussians in units in which the bounds are -1 and 1, clipped to the bounds.

    The clipping counts as a part of the environment: the sample before it is kept in
    `extras["sample"]`, `[..., K]`, and `log_prob` is its density. So ratios are exact, the
    entropy has a closed form, the bounds themselves are reached (a kick at full force), and
    there is no inverse of a squashing function to blow up near them, as a tanh has.

    The first half of `logits`, `[..., 2K]`, is the mean; the other half, through a sigmoid, the
    logarithm of the standard deviation between those of `MIN_STD` and `MAX_STD`, `INIT_STD` at 0.
    The penalty is on the mean alone: beyond the bounds clipping hides from the reward where the
    mean is.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    shape: tuple[int, ...]
    head_scale: float = 0.01  # a mean near 0 and a deviation near 1/2, wherever the agent begins

    @property
    def size(self) -> int:
        """Numbers in the logits: a mean and a deviation for each number of an action."""
        return 2 * len(self.low)

    def restricted(self, logits: jax.Array, observation: Observation) -> jax.Array:
        """See `Policy`."""
        del observation
        return logits

    def sample(self, key: jax.Array, logits: jax.Array) -> tuple[jax.Array, dict[str, Array]]:
        """See `Policy`."""
        mean, log_std = mean_and_log_std(logits)
        sample = mean + jnp.exp(log_std) * jax.random.normal(key, mean.shape)
        return self.action(sample), {"sample": sample}

    def mode(self, logits: jax.Array) -> tuple[jax.Array, dict[str, Array]]:
        """See `Policy`."""
        mean, _ = mean_and_log_std(logits)
        return self.action(mean), {"sample": mean}

    def log_prob(self, logits: jax.Array, action: Array, extras: dict[str, Array]) -> jax.Array:
        """See `Policy`."""
        return self.log_prob_and_entropy(logits, action, extras)[0]

    def log_prob_and_entropy(
        self, logits: jax.Array, action: Array, extras: dict[str, Array]
    ) -> tuple[jax.Array, jax.Array]:
        """Both of the samples before clipping."""
        del action
        mean, log_std = mean_and_log_std(logits)
        away = (extras["sample"] - mean) * jnp.exp(-log_std)
        log_prob = -0.5 * jnp.square(away) - log_std - 0.5 * math.log(2 * math.pi)
        entropy = log_std + 0.5 * math.log(2 * math.pi * math.e)
        return jnp.sum(log_prob, axis=-1), jnp.sum(entropy, axis=-1)

    def penalty(self, logits: jax.Array) -> jax.Array:
        """See `Policy`."""
        mean, _ = mean_and_log_std(logits)
        return jnp.sum(jnp.square(mean), axis=-1)

    def normalized(self, action: jax.Array) -> jax.Array:
        """An action in the environment's units as `[..., K]` float32 between -1 and 1."""
        low, high = jnp.asarray(self.low, jnp.float32), jnp.asarray(self.high, jnp.float32)
        leading = action.shape[: action.ndim - len(self.shape)]
        return 2.0 * (action.reshape(*leading, -1) - low) / (high - low) - 1.0

    def action(self, sample: jax.Array) -> jax.Array:
        """A sample `[..., K]`, clipped, as an action in the environment's units and shape."""
        low, high = jnp.asarray(self.low, jnp.float32), jnp.asarray(self.high, jnp.float32)
        action = jnp.clip(low + (sample + 1.0) / 2.0 * (high - low), low, high)
        return action.reshape(*sample.shape[:-1], *self.shape)


def policy_of(spec: EnvironmentSpec) -> Policy:
    """The policy for actions of `spec`.

    Raises UserError unless they are one of a few, or float32 numbers with finite bounds.
    """
    action = spec.action
    if isinstance(action, specs.DiscreteArray):
        return Categorical(action.num_values, mask=mask_key(spec))
    low, high = bounds(action)
    return ClippedGaussian(tuple(low.ravel().tolist()), tuple(high.ravel().tolist()), low.shape)


def bounds(action: specs.Array) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest action, of the action's shape; UserError if there is none."""
    if isinstance(action, specs.BoundedArray) and action.dtype == np.float32:
        low, high = (np.broadcast_to(x, action.shape) for x in (action.minimum, action.maximum))
        if np.isfinite(low).all() and np.isfinite(high).all():
            return low, high
    raise UserError(
        "the agent chooses one of a few actions, or float32 numbers with finite bounds; "
        f"the environment takes {action}"
    )


def mean_and_log_std(logits: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Of a `ClippedGaussian`, `[..., K]` each, from logits `[..., 2K]`."""
    mean, raw = jnp.split(logits, 2, axis=-1)
    least, begin, most = math.log(MIN_STD), math.log(INIT_STD), math.log(MAX_STD)
    offset = math.log((begin - least) / (most - begin))
    return mean, least + (most - least) * jax.nn.sigmoid(raw + offset)
