"""The local runner: actors, replay and learner on this machine, in threads or in processes."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

from experiments.base import Experiment
from launch import configuration
from launch.distributed import demonstrations
from launch.distributed.acting import act
from launch.distributed.batches import Batches
from launch.distributed.coordinator import Coordinator
from launch.distributed.learner import Learner
from launch.distributed.plan import Plan, check_params, make_plan
from launch.distributed.processes import ProcessHandle, Switchboard, connect
from launch.distributed.replay_host import ReplayHost, ReplayProcess, ReplayThreads
from launch.distributed.supervisor import Handle, Supervisor
from launch.distributed.threads import ThreadHandle
from launch.distributed.training import Training
from launch.evaluator import Evaluator
from launch.outcome import Outcome
from launch.progress import Display
from launch.published import InitialParams
from launch.run_folder import RunFolder
from launch.signals import Stop


class LocalRunner:
    """Trains one experiment. Making one loads levels and checks all that can be checked."""

    def __init__(self, experiment: Experiment, initial_params: InitialParams | None = None):
        """Checks that it can be run.

        Args:
          experiment: what to train.
          initial_params: parameters to begin with; None draws them all.

        Raises:
          UserError: the experiment cannot be run, or the parameters are another network's.
        """
        self._plan = make_plan(experiment)
        self._evaluator = Evaluator(experiment, self._plan.agent, self._plan.spec)
        self._initial_params = initial_params
        Learner(self._plan.agent)  # whether an update can be split over the devices
        check_params(self._plan, initial_params)
        demonstrations.check(self._plan)

    def train(
        self, run: RunFolder, display: Display, stop: Stop, *, resume: bool = False
    ) -> Outcome:
        """Trains until the budget is spent or `stop` is requested.

        Args:
          run: where to; its configuration is written already.
          display: shows progress.
          stop: looked at twice a second.
          resume: go on from the newest whole checkpoint.

        Raises:
          UserError: there is nothing to resume from, or the run folder cannot be written.
          RunFailed: the run cannot go on, though what it has learnt is kept.
        """
        plan, runner = self._plan, self._plan.experiment.runner
        if not demonstrations.prepare(plan, run, display, stop):
            return Outcome(0, 0.0, False, {})
        link = Coordinator(plan.round_items, plan.max_lag)
        training = Training(plan, run, link, display, self._evaluator, self._initial_params)
        with ExitStack() as stack:  # closes in the order actors, learner, evaluator, replay
            display.say("starting the replay")
            replay = _replay(plan, run, link)
            stack.callback(replay.close)
            stack.callback(self._evaluator.close)
            training.begin(resume=resume)
            stack.callback(training.close)
            if training.finished:
                return training.conclude(replay, lambda: stop.requested)
            shown = stack.enter_context(demonstrations.served(plan, run))
            batches = Batches(
                [stack.enter_context(closing(_sampler(plan, replay)))],
                plan.round_items,
                training.put,
                link,
                version=training.version,
                max_lag=plan.max_lag,
                in_order=runner.synchronous,
                shown=shown,
            )
            stack.callback(batches.close)
            display.say("starting actors")
            supervisor = Supervisor(
                link,
                _starter(plan, link, replay.address),
                runner.actors,
                stall_seconds=60 * runner.stall_minutes,
                say=display.say,
                look=replay.look,
            )
            stack.callback(supervisor.close)

            def stopped() -> bool:
                supervisor.check()
                return stop.requested

            return training.loop(batches, replay, stopped)


def _replay(plan: Plan, run: RunFolder, link: Coordinator) -> ReplayHost:
    runner, folder = plan.experiment.runner, run.replay / "0"
    if runner.processes:
        return ReplayProcess(plan, folder, runner.port, link)
    return ReplayThreads(plan, folder, runner.port)


def _sampler(plan: Plan, replay: ReplayHost) -> Any:
    from launch.replay.sampler import ItemSampler

    return ItemSampler(replay.address, plan.item, ahead=plan.round_items, together=plan.together)


def _starter(plan: Plan, link: Coordinator, address: str) -> Callable[[int, int], Handle]:
    """What starts an actor, by number and incarnation."""
    if not plan.experiment.runner.processes:

        def thread(actor: int, incarnation: int) -> Handle:
            run = partial(act, plan, actor, incarnation, address, link)
            return ThreadHandle(run, f"actor {actor}")

        return thread
    switchboard = Switchboard(link)
    document = configuration.to_json(plan.experiment)

    def process(actor: int, incarnation: int) -> Handle:
        where = switchboard.address, switchboard.key
        arguments = document, actor, incarnation, address, where
        return ProcessHandle(_act, arguments, f"actor {actor}")

    return process


def _act(
    document: dict[str, Any], actor: int, incarnation: int, replay: str, where: tuple[str, bytes]
) -> None:
    """An actor's process."""
    plan = make_plan(configuration.from_json(document))
    act(plan, actor, incarnation, replay, connect(*where))
