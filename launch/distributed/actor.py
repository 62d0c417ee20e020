"""The actor: many environments, one batched policy on the CPU, items for the replay.

Shape letters: `N` environments.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import jax
import numpy as np

from agents.base import Agent
from environments.base import TimeStep, VectorEnvironment
from launch.distributed.base import Item, Weights, count
from launch.distributed.coordinator import ActorReport, Link
from launch.distributed.subscription import Subscription
from launch.distributed.unrolls import UnrollBuffer
from launch.episodes import COUNTED

_POLL = 0.5  # seconds between looks at whether to stop


class Writer(Protocol):
    """Where items go."""

    waiting: str  # what `write` waits for at this moment; empty if for nothing

    def write(self, items: Item, stop: Callable[[], bool]) -> bool:
        """Whether all of them, `[N, ...]`, arrived; False once `stop()`, or if they are lost."""
        ...


@dataclass(frozen=True)
class Identity:
    """Which actor this is."""

    actor: int
    incarnation: int  # how often it was replaced before
    policy_seed: int

    @property
    def name(self) -> str:
        """As people are told."""
        return f"actor {self.actor}"


class EpisodeCounter:
    """Sums over the episodes of `N` environments, as they end."""

    def __init__(self, worlds: int):
        self._returns, self._auxiliary = np.zeros(worlds), np.zeros(worlds)
        self._lengths = np.zeros(worlds, np.int64)

    def add(self, now: TimeStep, after: TimeStep, report: ActorReport) -> None:
        """Counts one step of every environment into `report`."""
        going_on = ~now.is_last  # the step across a reset is no frame, and begins the sums anew
        auxiliary = after.info.get("auxiliary_reward", 0.0)
        self._returns = going_on * (self._returns + after.reward - auxiliary)
        self._auxiliary = going_on * (self._auxiliary + auxiliary)
        self._lengths = going_on * (self._lengths + 1)
        report.frames += int(going_on.sum())
        ends = after.is_last
        if ends.any():
            report.episodes += int(ends.sum())
            report.successes += int((ends & (after.info["outcome"] == 0)).sum())
            report.returns += float(self._returns[ends].sum())
            report.auxiliary += float(self._auxiliary[ends].sum())
            report.lengths += int(self._lengths[ends].sum())
            for name in COUNTED:
                if name in after.info:
                    report.counts[name] += int(after.info[name][ends].sum())


class Actor:
    """Acts until the run stops. To be used by one thread."""

    def __init__(
        self,
        agent: Agent,
        environment: VectorEnvironment,
        spec: Item,
        period: int,
        identity: Identity,
        link: Link,
        writer: Writer,
    ):
        """Args:
        agent: whose policy acts.
        environment: `N` worlds, not begun.
        spec: of an item.
        period: steps between the beginnings of a world's items.
        identity: of this actor.
        link: to the coordinator.
        writer: takes the items.
        """
        self._environment, self._period, self._identity = environment, period, identity
        self._link, self._writer = link, writer
        self._worlds = environment.num_environments
        self._buffer = UnrollBuffer(
            spec, self._worlds, period, actor=identity.actor, incarnation=identity.incarnation
        )
        self._cpu = jax.devices("cpu")[0]
        self._key = jax.device_put(jax.random.key(identity.policy_seed), self._cpu)
        self._core = jax.device_put(agent.initial_core(self._worlds), self._cpu)
        self._act = partial(_act, agent)
        self._episodes = EpisodeCounter(self._worlds)
        self._report = ActorReport()
        self._steps = 0
        self._weights: Weights | None = None

    def run(self) -> None:
        """Acts until the coordinator says to stop; closing the environment is the caller's."""
        self._doing("resetting its environments")
        with jax.default_device(self._cpu):
            now = self._environment.reset()
            with closing(Subscription(self._link, self._cpu)) as subscription:
                while self._begin(subscription):
                    self._doing("acting")
                    items = None
                    while items is None:
                        now, items = self._step(now)
                    self._finish(items)

    def _begin(self, subscription: Subscription) -> bool:
        """Waits for permission and for weights; whether to go on."""
        link, identity = self._link, self._identity
        began = time.monotonic()
        while not link.stopping():
            self._weights = subscription.newest()
            if self._weights is None:
                self._doing("waiting for weights")
                subscription.wait(-1, _POLL)
                continue
            version = self._weights.version
            if link.begin(identity.actor, identity.incarnation, self._worlds, version, _POLL):
                self._report.wait_seconds += time.monotonic() - began
                return True
            self._doing(f"waiting for weights after version {version}")
            subscription.wait(version, _POLL)
        return False

    def _step(self, now: TimeStep) -> tuple[TimeStep, Item | None]:
        assert self._weights is not None
        began, before = time.monotonic(), self._core
        action, extras, self._core = self._act(
            self._weights.params, self._key, self._steps, now.observation, now.is_first, before
        )
        action = np.asarray(action)
        acted = time.monotonic()
        after = self._environment.step(action)
        stepped = time.monotonic()
        self._steps += 1
        self._report.act_seconds += acted - began
        self._report.step_seconds += stepped - acted
        self._episodes.add(now, after, self._report)
        items = self._buffer.add(now, action, after, extras, before, self._weights.version)
        return after, items

    def _finish(self, items: Item) -> None:
        link, identity = self._link, self._identity
        self._doing("writing to the replay")
        # First, so that what was done is known when the items are learnt from.
        link.report(identity.actor, self._report)
        self._report = ActorReport()
        began = time.monotonic()
        if self._writer.write(items, self._stops_writing):
            link.report(identity.actor, ActorReport(unrolls=1))
        else:
            link.give_up(identity.actor, identity.incarnation, count(items))
        self._report.write_seconds += time.monotonic() - began

    def _stops_writing(self) -> bool:
        """Asked while the replay keeps a writer waiting; a stalled run tells what for."""
        if self._writer.waiting:
            self._doing(f"waiting {self._writer.waiting}")
        return self._link.stopping()

    def _doing(self, what: str) -> None:
        self._link.doing(self._identity.name, what)


@partial(jax.jit, static_argnames="agent")  # all actors of a process share what is compiled
def _act(agent: Agent, params: Any, key: jax.Array, step: Any, observation, is_first, core):
    key = jax.random.fold_in(key, step)
    return agent.act(params, key, observation, is_first, core, greedy=False)
