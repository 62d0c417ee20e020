"""What an actor tells the coordinator, and when."""

from dataclasses import replace

import jax
import numpy as np

from environments.registry import build_vector
from experiments.base import Runner
from launch.distributed.actor import Actor, Identity
from launch.distributed.base import Weights
from launch.distributed.coordinator import Coordinator
from launch.distributed.plan import make_plan
from tests.agents.toy import quick_jit
from tests.launch.distributed.harness import EXPERIMENT


class Watched(Coordinator):
    """Notes how many unrolls an actor has finished each time it asks for one; stops at three."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.finished: list[int] = []

    def begin(self, actor: int, *arguments) -> bool:
        self.finished.append(self.finished_unrolls(actor))
        if len(self.finished) == 3:
            self.stop()
        return super().begin(actor, *arguments)


class Writer:
    """Takes everything."""

    waiting = ""

    def write(self, items, stop) -> bool:
        return True


def test_an_unroll_is_finished_once_it_is_written():
    """An actor that dies as it begins the next one has delivered: it is not given up."""
    plan = make_plan(replace(EXPERIMENT, runner=Runner(kind="local", worlds=6, max_lag=4)))
    link = Watched(plan.round_items, plan.max_lag)
    params = plan.agent.policy_params(quick_jit(plan.agent.init)(jax.random.key(0)))
    link.publish(Weights(0, jax.tree.map(np.array, params)))
    identity = Identity(0, link.start(0), policy_seed=0)
    with build_vector(plan.experiment.environment, plan.worlds, seed=0) as environment:
        Actor(plan.agent, environment, plan.item, plan.period, identity, link, Writer()).run()
    assert link.finished == [0, 1, 2]
