"""Several learner processes, on as many hosts, that learn as one: a leader and its followers.

The leader is the learner of the run: it alone reads the replay, writes checkpoints and publishes.
A follower lends its devices. Each round the leader sends everybody one message, whether to go on
and the whole batch, and all do the same update, each device with its share of the batch. So nobody
waits for data of its own, shares are equal, and an update is the one that a single process with
all the devices would make. The price: every batch passes through the leader, and over the network
to every follower whole; and it cannot be on the devices while the update before is computed.

What a follower begins with is the leader's state: it needs neither replay nor run folder.
It waits at most half an hour for a message (the limit that XLA sets for CPUs).
"""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from agents.base import Agent, Metrics, Unroll
from launch.distributed.base import Item
from launch.distributed.learner import Learner, LearnerState, batch_shapes, round_items
from launch.distributed.packing import pack, packed_size, unpack
from launch.replay.loopback import is_loopback

_JOIN_SECONDS = 120  # for all to come
_DEAD_SECONDS = 60  # without a sign of life; then all others end too
_STOP, _GO = np.zeros(1, np.uint8), np.ones(1, np.uint8)


@dataclass(frozen=True)
class Membership:
    """One process' place in a group."""

    address: str  # host:port, on the leader's host, where they meet
    processes: int
    process: int  # 0 leads


def join(membership: Membership) -> None:
    """Waits for all others; from here on `jax.devices()` are those of all.

    Must come before anything else of JAX. When a member dies, a computation that waits for it
    raises, or the process is ended by JAX after a minute.

    Raises:
      RuntimeError: not all came in time, or JAX was in use.
    """
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(
        membership.address,
        membership.processes,
        membership.process,
        coordinator_bind_address=_bind_address(membership.address),
        initialization_timeout=_JOIN_SECONDS,
        heartbeat_timeout_seconds=_DEAD_SECONDS,
    )


def _bind_address(address: str) -> str | None:
    """Where the leader listens, of where the group meets; None for every interface.

    Among machines that is JAX's default: the name or address by which others know a host need not
    be one that it can listen at, and JAX does not survive the attempt.
    """
    return address if is_loopback(address.rpartition(":")[0].strip("[]")) else None


def make_learner(agent: Agent, item: Item) -> Learner:
    """The learner of a run, which has followers if this process has joined others.

    Raises UserError if a batch cannot be split evenly over all devices.
    """
    return Leader(agent, item) if jax.process_count() > 1 else Learner(agent)


class Leader(Learner):
    """A learner with followers; for one thread, since messages and updates must come in order."""

    def __init__(self, agent: Agent, item: Item):
        """Args:
        agent: that learns.
        item: the specification of what the replay keeps.
        """
        super().__init__(agent)
        self._size = packed_size(batch_shapes(item, round_items(agent)))

    def begin(self, state: LearnerState) -> LearnerState:
        """See `Learner`."""
        _broadcast(pack(state))
        return super().begin(state)

    def put(self, unroll: Unroll) -> Unroll:
        """Nothing: another thread calls it. The batch goes to the devices in `update`."""
        return unroll

    def update(self, state: LearnerState, unroll: Unroll) -> tuple[LearnerState, Metrics]:
        """See `Learner`; the batch is on the host."""
        packed = pack(unroll)
        if len(packed) != self._size:  # or all would wait for ever
            raise ValueError(f"a batch has {len(packed)} bytes, not {self._size}")
        _broadcast(np.concatenate([_GO, packed]))
        return super().update(state, super().put(unroll))

    def end(self) -> None:
        """Has the followers end."""
        _broadcast(np.concatenate([_STOP, np.zeros(self._size, np.uint8)]))


def follow(agent: Agent, item: Item) -> LearnerState:
    """Learns what the leader learns until it ends; the last state.

    Args:
      agent: that learns.
      item: the specification of what the replay keeps.

    Raises UserError if a batch cannot be split evenly over all devices.
    """
    learner = Learner(agent)
    shapes, batch = learner.shapes(), batch_shapes(item, round_items(agent))
    state = learner.begin(unpack(_receive(packed_size(shapes)), shapes))
    while True:
        message = _receive(1 + packed_size(batch))
        if not message[0]:
            return state
        state, _ = learner.update(state, learner.put(unpack(message[1:], batch)))


def _receive(size: int) -> np.ndarray:
    return _broadcast(np.zeros(size, np.uint8))


def _broadcast(message: np.ndarray) -> Any:
    """The leader's message; those of the others only give its size."""
    return multihost_utils.broadcast_one_to_all(message)
