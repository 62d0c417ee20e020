"""The learner: one jitted update over a mesh of devices, and how data gets there.

Parameters are on every device, the batch is split over them; XLA adds what they must tell each
other. On a machine with one device this is the same program. The devices may be those of several
processes (see `learner_group`), of which each does all that is here, with the same arguments.

Shape letters: `T` time, `B` environments.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from agents.base import Agent, AgentState, Metrics, OnPolicy, Unroll
from environments.errors import UserError
from environments.keys import is_key
from launch.distributed.base import Item
from launch.learning import learn


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LearnerState:
    """Everything that learning changes; what a checkpoint holds."""

    agent: AgentState
    key: jax.Array


def init(agent: Agent, key: jax.Array) -> LearnerState:
    """The state in which a run begins."""
    agent_key, key = jax.random.split(key)
    return LearnerState(agent.init(agent_key), key)


def round_items(agent: Agent) -> int:
    """Items that the learner takes at once."""
    data = agent.data
    return data.environments if isinstance(data, OnPolicy) else data.batch


def _parts(agent: Agent) -> int:
    """Updates for one version."""
    return agent.data.minibatches if isinstance(agent.data, OnPolicy) else 1


def _option(agent: Agent) -> str:
    return "agent.environments" if isinstance(agent.data, OnPolicy) else "agent.batch"


def check_split(agent: Agent, devices: int) -> None:
    """Raises UserError if the data of an update cannot be split evenly over the devices."""
    per_update = round_items(agent) // _parts(agent)
    if per_update % devices:
        raise UserError(
            f"an update from {per_update} unrolls cannot be split over {devices} devices: set "
            f"{_option(agent)} to a multiple of {devices * _parts(agent)}"
        )


def batch_shapes(item: Item, items: int) -> Unroll:
    """Shapes and dtypes of the unroll in a batch of `items` such items."""

    def batched(leaf: jax.ShapeDtypeStruct, axis: int) -> jax.ShapeDtypeStruct:
        shape = (*leaf.shape[:axis], items, *leaf.shape[axis:])
        return jax.ShapeDtypeStruct(shape, leaf.dtype)

    unroll = jax.tree.map(partial(batched, axis=1), replace(item.unroll, core=()))
    core = jax.tree.map(partial(batched, axis=0), item.unroll.core)
    return replace(unroll, core=core)


class Learner:
    """The compiled update, on all devices of this process or, under `jax.distributed`, of all."""

    def __init__(self, agent: Agent):
        """Raises UserError if a batch cannot be split evenly over the devices."""
        devices = jax.devices()
        check_split(agent, len(devices))
        self._agent, self._parts = agent, _parts(agent)
        mesh = Mesh(np.array(devices), ("data",))
        self._replicated = NamedSharding(mesh, PartitionSpec())
        self._by_row = NamedSharding(mesh, PartitionSpec("data"))
        self._by_column = NamedSharding(mesh, PartitionSpec(None, "data"))
        self._update = jax.jit(
            partial(_update, agent, self._parts),
            donate_argnames="state",
            out_shardings=(self._replicated, self._replicated),
        )

    def init(self, key: jax.Array) -> LearnerState:
        """The state in which a run begins, not yet on all devices: see `begin`."""
        return jax.jit(partial(init, self._agent))(key)

    def shapes(self) -> LearnerState:
        """The state's shapes and dtypes."""
        return jax.eval_shape(partial(init, self._agent), jax.random.key(0))

    def begin(self, state: LearnerState) -> LearnerState:
        """A new or a restored state, on every device."""
        return jax.tree.map(partial(_place, self._replicated), state)

    def put(self, unroll: Unroll) -> Unroll:
        """A batch `[T, B]` on the host split over the devices."""

        def place(tree: Any, sharding: NamedSharding) -> Any:
            return jax.tree.map(partial(_place, sharding), tree)

        core = place(unroll.core, self._by_row)
        return replace(place(replace(unroll, core=()), self._by_column), core=core)

    def metrics(self, item: Item, items: int) -> Metrics:
        """Names and shapes of what `update` tells of a batch of `items` such items."""
        shapes = self.shapes(), batch_shapes(item, items)
        return jax.eval_shape(partial(_update, self._agent, self._parts), *shapes)[1]

    def update(self, state: LearnerState, unroll: Unroll) -> tuple[LearnerState, Metrics]:
        """Learns from one batch; `state` is used up."""
        return self._update(state=state, unroll=unroll)

    def end(self) -> None:
        """No update follows."""


def _place(sharding: NamedSharding, leaf: Any) -> jax.Array:
    """An array that every process has whole, each device holding what the sharding says."""
    if is_key(leaf):
        data = _place(sharding, jax.random.key_data(leaf))
        return jax.random.wrap_key_data(data, impl=jax.random.key_impl(leaf))
    array = np.asarray(leaf)
    return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])


def _update(
    agent: Agent, parts: int, state: LearnerState, unroll: Unroll
) -> tuple[LearnerState, Metrics]:
    key, update_key = jax.random.split(state.key)
    learnt, metrics = learn(agent, state.agent, unroll, update_key, parts=parts)
    return LearnerState(learnt, key), metrics
