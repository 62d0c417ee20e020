"""Types that cross module boundaries: the agent, the data it asks for, the unroll it gets.

Shape letters: `T` steps of time, `B` environments. Arrays of an unroll are time-major.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax

from agents.checks import above_zero, at_least
from environments.base import Array, Observation
from environments.errors import UserError

Core = Any  # an agent's recurrent state, each leaf [B, ...]; () if it has none
Params = Any
Metrics = dict[str, Array]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Unroll:
    """`T` consecutive steps of `B` environments, for every agent and every runner.

    A row `t` whose `is_last[t]` is set is the step across a reset: its action was ignored, its
    loss weight is 0, its temporal difference is 0, and it does not count as a frame.
    """

    observation: Observation  # each [T+1, B, ...]
    is_first: Array  # [T+1, B] bool
    is_last: Array  # [T+1, B] bool
    action: Array  # [T, B, ...] taken at `observation[t]`
    reward: Array  # [T, B] float32, received on arriving at `observation[t+1]`
    discount: Array  # [T, B] float32, at `observation[t+1]`; 0 at a true end, 1 at a truncation
    extras: dict[str, Array]  # each [T, B, ...]; what `act` told beside `action`, for `update`
    core: Core  # each [B, ...], before `observation[0]`


@dataclass(frozen=True)
class OnPolicy:
    """Data taken once, in order: `environments` unrolls of `unroll_length`, in `minibatches`."""

    unroll_length: int
    environments: int
    minibatches: int

    def __post_init__(self):
        at_least(self, 1, "unroll_length", "environments", "minibatches")
        if self.environments % self.minibatches:
            raise UserError(
                f"{self.environments} environments cannot be split into "
                f"{self.minibatches} equal minibatches (agent.environments, agent.minibatches)"
            )


@dataclass(frozen=True)
class Replay:
    """Data kept and drawn again, uniformly: sequences of `sequence_length` steps."""

    sequence_length: int
    period: int  # steps from the beginning of a sequence to that of the next, at most its length
    batch: int  # sequences for each update
    capacity: int  # sequences kept; the oldest go first
    min_size: int  # sequences there must be before the first update
    samples_per_insert: float  # how often a sequence is drawn, on average

    def __post_init__(self):
        at_least(self, 1, "sequence_length", "period", "batch", "capacity", "min_size")
        if self.period > self.sequence_length:
            raise UserError(
                f"agent.period must be at most agent.sequence_length, {self.sequence_length}, "
                f"not {self.period}: steps between sequences would be lost"
            )
        if self.min_size > self.capacity:
            raise UserError(
                f"agent.min_size must be at most agent.capacity, {self.capacity}, "
                f"not {self.min_size}"
            )
        above_zero(self, "samples_per_insert")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class AgentState:
    """All that learning changes."""

    params: Params
    optimizer: Any  # the state of the optax optimizer
    frames: Array  # [] uint32, frames learnt from so far; schedules follow it
    updates: Array  # [] uint32


def _with_params(state: AgentState, params: Params) -> AgentState:
    return replace(state, params=params)


@dataclass(frozen=True)
class Agent:
    """An agent as pure functions; it knows nothing of runners.

    Arguments and results without a stated time axis are `[B, ...]`.
    """

    # (key) -> AgentState
    init: Callable[[jax.Array], AgentState]
    # (state) -> what an actor needs, and what is published
    policy_params: Callable[[AgentState], Params]
    # (batch) -> core
    initial_core: Callable[[int], Core]
    # (params, key, observation, is_first, core, *, greedy) -> (action, extras, core)
    # The core is cleared where is_first is set. extras are what update needs to know of the action
    # besides, such as log_prob, that of the acting policy; none if it needs nothing.
    act: Callable[..., tuple[Array, dict[str, Array], Core]]
    # (state, unroll, key) -> (state, metrics); jit-able, shardable over B; metrics are scalars
    update: Callable[[AgentState, Unroll, jax.Array], tuple[AgentState, Metrics]]
    data: OnPolicy | Replay
    # (params, observation) -> (logits [B, A], value [B]), of agents without a core that choose
    # one of a few actions: what a search begins with, and values its leaves by
    predict: Callable[[Params, Observation], tuple[Array, Array]] | None = None
    # Steps of an environment model that every decision takes; 0 for an agent that has none.
    model_steps: int = 0
    # (state, params) -> AgentState: a new state with published parameters, what
    # `policy_params` gives, in place of drawn ones
    begin_with: Callable[[AgentState, Params], AgentState] = _with_params
    # (params, unroll) -> metrics: of a model learner, how well it predicts play that it did not
    # learn from; None for those that predict nothing
    assess: Callable[[Params, Unroll], Metrics] | None = None
