"""Any agent as Acme's learner: one round of learning from each batch of items."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax

from agents.base import Agent, AgentState, OnPolicy
from launch.acme.symbols import Counter, Learner, Logger
from launch.acme.variables import select
from launch.distributed.base import Item, Weights
from launch.learning import learn


class LearnerState(NamedTuple):
    """What a learner saves: NumPy arrays."""

    agent: AgentState
    key: Any  # the data of the random key


class AgentLearner(Learner):
    """Learns; `get_variables` may be called by other threads meanwhile."""

    def __init__(
        self, agent: Agent, batches: Iterator[Item], seed: int, counter: Counter, logger: Logger
    ):
        """Starts from new parameters.

        Args:
          agent: what learns.
          batches: of items, as `launch.distributed.base.stack` makes them.
          seed: decides the parameters and what is random in an update.
          counter: counts `steps`, rounds of learning.
          logger: gets the metrics and counts of each.
        """
        parts = agent.data.minibatches if isinstance(agent.data, OnPolicy) else 1
        self._learn = jax.jit(partial(learn, agent, parts=parts))
        self._agent, self._batches = agent, batches
        self._counter, self._logger = counter, logger
        key, self._key = jax.random.split(jax.random.key(seed))
        self._state = agent.init(key)

    def step(self) -> None:
        """Waits for a batch and learns from it; StopIteration if there is none to come."""
        batch = next(self._batches)
        key, following = jax.random.split(self._key)
        self._state, metrics = self._learn(self._state, batch.unroll, key)
        self._key = following
        values = {name: float(value) for name, value in jax.device_get(metrics).items()}
        self._logger.write(values | self._counter.increment(steps=1))

    def get_variables(self, names: Sequence[str]) -> list[Any]:
        """Those of `policy` and `version`, the number of updates, that are named."""
        state = self._state
        params = jax.device_get(self._agent.policy_params(state))
        return select(Weights(int(state.updates), params), names)

    def save(self) -> LearnerState:
        """All that learning changes; batches not yet learnt from are not part of it."""
        return jax.device_get(LearnerState(self._state, jax.random.key_data(self._key)))

    def restore(self, state: LearnerState) -> None:
        """Goes back to what was saved: equal batches then give equal parameters."""
        self._state = jax.device_put(state.agent)
        self._key = jax.random.wrap_key_data(state.key)
