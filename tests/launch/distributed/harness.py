"""A learner that learns nothing, with real actors and a real replay, in threads of this process."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial

import jax
import numpy as np

from agents.drc.config import DRCConfig
from environments.games.sokoban.registration import SokobanOptions
from experiments.base import Experiment, Runner
from launch.distributed.acting import act
from launch.distributed.base import Weights
from launch.distributed.batches import Batch, Batches
from launch.distributed.coordinator import Coordinator
from launch.distributed.plan import Plan, make_plan
from launch.distributed.replay_host import ReplayThreads
from launch.distributed.supervisor import Supervisor
from launch.distributed.threads import ThreadHandle
from tests.agents.toy import quick_jit

EXPERIMENT = Experiment(
    name="tiny",
    environment=SokobanOptions(levels="generated:size=5,boxes=1,count=20,seed=0"),
    agent=DRCConfig(depth=1, repeats=1, channels=2, hidden=8, environments=6, unroll_length=4),
)


@dataclass
class Run:
    """What a test may look at and do."""

    plan: Plan
    link: Coordinator
    replay: ReplayThreads
    batches: Batches
    supervisor: Supervisor
    version: int = 0

    def batch(self) -> Batch:
        """The next batch, which is learnt from at `version`."""
        while True:
            self.supervisor.check()
            batch = self.batches.next(timeout=1)
            if batch is not None:
                return batch

    def publish(self) -> None:
        """The version after this one, with the same parameters."""
        self.version += 1
        weights = self.link.weights(-1, timeout=0)
        assert weights is not None
        self.link.publish(Weights(self.version, weights.params), finished=self.plan.round_items)


@contextmanager
def running(folder, **options) -> Iterator[Run]:
    """A run with these options of `Runner`."""
    from launch.replay.sampler import ItemSampler

    plan = make_plan(replace(EXPERIMENT, runner=Runner(kind="local", **options)))
    params = plan.agent.policy_params(quick_jit(plan.agent.init)(jax.random.key(0)))
    link = Coordinator(plan.round_items, plan.max_lag)
    link.publish(Weights(0, jax.tree.map(np.array, params)))
    with ExitStack() as stack:
        replay = stack.enter_context(closing(ReplayThreads(plan, folder, 0)))
        sampler = stack.enter_context(closing(ItemSampler(replay.address, plan.item, ahead=4)))
        batches = Batches(
            [sampler],
            plan.round_items,
            lambda unroll: unroll,
            link,
            version=0,
            max_lag=plan.max_lag,
        )
        stack.enter_context(closing(batches))

        def start(actor: int, incarnation: int) -> ThreadHandle:
            run = partial(act, plan, actor, incarnation, replay.address, link)
            return ThreadHandle(run, f"actor {actor}")

        supervisor = Supervisor(
            link, start, plan.experiment.runner.actors, stall_seconds=60, say=print
        )
        stack.enter_context(closing(supervisor))
        yield Run(plan, link, replay, batches, supervisor)
