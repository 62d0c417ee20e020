"""The ray runner: the parts of the local runner, on the nodes of a Ray cluster.

The process that was started is the driver: it supervises and shows. Coordinator, actors, replay
servers, learner and evaluator are Ray actors. All but the coordinator, which is on the driver's
node, may be on any node, and are started again on one that is left when theirs dies. The learner
and the replay servers write to the run folder, so that all nodes must see it at the same path.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import jax

from experiments.base import Experiment
from launch import configuration
from launch.distributed import demonstrations
from launch.distributed.coordinator import Coordinator
from launch.distributed.plan import Plan, check_params, make_plan
from launch.distributed.ray_actors import Actors
from launch.distributed.ray_cluster import cluster, find, ray
from launch.distributed.ray_group import places
from launch.distributed.ray_handles import spawn
from launch.distributed.ray_link import RayLink
from launch.distributed.ray_replay import Shard
from launch.distributed.ray_training import RayTraining
from launch.distributed.supervisor import Supervisor
from launch.evaluator import Evaluator
from launch.outcome import Outcome
from launch.progress import Display
from launch.published import InitialParams
from launch.run_folder import RunFolder
from launch.signals import Stop

_LOOK_SECONDS = 0.5


class RayRunner:
    """Trains one experiment. Making one loads levels and checks all that can be checked here."""

    def __init__(self, experiment: Experiment, initial_params: InitialParams | None = None):
        """Checks that it can be run.

        Args:
          experiment: what to train.
          initial_params: parameters to begin with; None draws them all.

        Raises:
          UserError: the experiment cannot be run, there is no such cluster, or the parameters are
            another network's.
        """
        self._address = find(experiment.runner.address)
        jax.config.update("jax_platforms", "cpu")  # devices are the learner's
        self._plan = make_plan(experiment)
        Evaluator(experiment, self._plan.agent, self._plan.spec)  # whether the suites fit
        check_params(self._plan, initial_params)
        demonstrations.check(self._plan)
        self._initial_params = initial_params

    def train(
        self, run: RunFolder, display: Display, stop: Stop, *, resume: bool = False
    ) -> Outcome:
        """Trains until the budget is spent or `stop` is requested; for the main thread.

        Args:
          run: where to; its configuration is written already.
          display: shows progress.
          stop: looked at twice a second.
          resume: go on from the newest whole checkpoint.

        Raises:
          UserError: the cluster is too small or cannot be joined, there is nothing to resume from,
            or the run folder cannot be written.
          RunFailed: the run cannot go on, though what it has learnt is kept.
        """
        plan, runner = self._plan, self._plan.experiment.runner
        run = RunFolder(run.path.absolute())
        if not demonstrations.prepare(plan, run, display, stop):
            return Outcome(0, 0.0, False, {})
        display.say(f"joining Ray at {self._address}" if self._address else "starting Ray")
        with cluster(self._address, runner.actors), ExitStack() as stack:
            # All processes get ready at the same time. Closed: actors, learner, replay, the rest.
            arguments = os.getcwd(), configuration.to_json(plan.experiment)
            coordinator = _coordinator(plan)
            link = RayLink(coordinator)
            stack.callback(ray.kill, coordinator)
            shards = _shards(plan, arguments, run)
            for shard in shards:
                stack.callback(shard.close)
            learners = places(runner.platform, runner.learners, ray.nodes())
            training = RayTraining(
                *(arguments, learners, run.path),
                *(coordinator, shards, display, self._initial_params),
            )
            stack.callback(training.close)
            actors = Actors(arguments, runner.actors, shards, coordinator)
            display.say("starting the replay")
            for shard in shards:
                shard.start()
            display.say("starting the learner")
            training.begin(resume=resume)
            training.wait()
            display.say("starting actors")
            supervisor = Supervisor(
                link,
                actors.start,
                runner.actors,
                stall_seconds=60 * runner.stall_minutes,
                say=display.say,
                look=_look(link, shards, training, actors, display),
            )
            stack.callback(supervisor.close)
            return _loop(link, training, supervisor, stop)


def _loop(link: RayLink, training: RayTraining, supervisor: Supervisor, stop: Stop) -> Outcome:
    while True:
        training.show(_LOOK_SECONDS)
        outcome = training.outcome()
        if outcome is not None:
            return outcome
        if stop.requested:
            supervisor.close()
            return training.end()
        if not link.stopping():  # else the last evaluation is going on, and nothing is learnt
            supervisor.check()


def _coordinator(plan: Plan) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = ray.get_runtime_context().get_node_id()
    return spawn(
        Coordinator,
        *(plan.round_items, plan.max_lag),
        max_concurrency=2 * plan.experiment.runner.actors + 16,  # each may wait in a call
        scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False),
    )


def _shards(plan: Plan, arguments: tuple, run: RunFolder) -> list[Shard]:
    runner = plan.experiment.runner
    return [
        Shard(arguments, run.replay / str(number), runner.port + number if runner.port else 0)
        for number in range(runner.replay_shards)
    ]


def _look(
    link: RayLink, shards: list[Shard], training: RayTraining, actors: Actors, display: Display
) -> Callable[[], None]:
    """What replaces the replay servers that died."""

    def look() -> None:
        for number, shard in enumerate(shards):
            before = shard.address
            if shard.replace_if_dead(link.version()):
                display.say(f"replay server {number} died; another serves at {shard.address}")
                link.replay_lost()
                training.moved(number)
                if shard.address != before:
                    actors.kill_writers(number)

    return look
