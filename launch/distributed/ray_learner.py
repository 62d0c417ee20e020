"""The learner as a Ray actor: training in one thread, and others that answer the driver."""

import socket
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from environments.errors import UserError
from launch import configuration
from launch.distributed import demonstrations
from launch.distributed.batches import Batches
from launch.distributed.coordinator import Term
from launch.distributed.learner_group import Membership, join
from launch.distributed.plan import make_plan
from launch.distributed.ray_cluster import ray
from launch.distributed.ray_evaluator import RayEvaluator
from launch.distributed.ray_handles import Failure
from launch.distributed.ray_link import RayLink
from launch.distributed.ray_parts import enter
from launch.distributed.ray_replay import ShardSampler, Store
from launch.distributed.training import Training
from launch.loggers import Row
from launch.outcome import Outcome, RunFailed
from launch.platforms import use_platform
from launch.progress import Display
from launch.published import InitialParams
from launch.run_folder import RunFolder

_SHOWN = 1000  # rows and texts that wait for the driver, at most


class Relay(Display):
    """Keeps what is to be shown until the driver takes it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._kept: deque[tuple[str, Any]] = deque(maxlen=_SHOWN)

    def say(self, text: str) -> None:
        """See `Display`."""
        self._keep("say", text)

    def write(self, row: Row) -> None:
        """See `Display`."""
        self._keep("write", dict(row))

    def _keep(self, how: str, what: Any) -> None:
        with self._changed:
            self._kept.append((how, what))
            self._changed.notify_all()

    def take(self, timeout: float) -> list[tuple[str, Any]]:
        """Names of methods and their arguments; waits for the first up to `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._kept, timeout)
            kept = list(self._kept)
            self._kept.clear()
            return kept


class LearnerPart:
    """Learns as the local runner's process does; its methods are called at the same time."""

    def __init__(self, folder: str, document: dict[str, Any]):
        """See `ray_parts.ActorPart`."""
        self._experiment = configuration.from_json(document)
        enter(folder, self._experiment.runner.platform)
        import launch.replay.sampler  # noqa: F401  TensorFlow: seconds, while others start too

        self._shown = Relay()
        self._stop = threading.Event()
        self._lock = threading.Lock()  # of the shards, and of what reads them
        self._moved: dict[int, tuple[str, Any]] = {}  # shards that others serve than at first
        self._samplers: list[ShardSampler] = []  # of the shards, from when they are read

    def meeting_point(self) -> str:
        """Where this process and its followers can meet: host:port."""
        with socket.socket() as probe:
            probe.bind(("", 0))
            return f"{ray.util.get_node_ip_address()}:{probe.getsockname()[1]}"

    def get_ready(self, address: str | None) -> Failure | None:
        """Comes before `learn`, which is given what it returns.

        Args:
          address: where to meet followers; None if there are none.
        """
        if address is not None:
            join(Membership(address, self._experiment.runner.learners, process=0))
        try:
            use_platform(self._experiment.runner.platform)
            self._plan = make_plan(self._experiment)
            demonstrations.check_split(self._plan)
        except UserError as error:
            return Failure.of(error)

    def learn(
        self,
        ready: Failure | None,
        run: Path,
        coordinator: Any,
        shards: Sequence[tuple[str, Any]],
        initial_params: InitialParams | None,
        resume: bool,
        term: Term,
    ) -> Outcome | Failure:
        """Learns until the budget is spent or `stop` was called.

        Args:
          ready: what `get_ready` returned; Ray waits for it.
          run: the folder, which must be the one that the driver sees.
          coordinator: its handle.
          shards: addresses and handles of the replay servers.
          initial_params: see `Training`.
          resume: see `Training.begin`.
          term: see there.
        """
        if ready is not None:
            return ready
        try:
            folder = RunFolder(run)
            if not folder.config.exists():
                raise UserError(
                    f"the learner's node does not see {run}: give a --run-dir on a file system "
                    f"that all nodes share"
                )
            return self._learn(folder, RayLink(coordinator), shards, initial_params, resume, term)
        except (UserError, RunFailed) as error:
            return Failure.of(error)

    def _learn(
        self, run: RunFolder, link: RayLink, shards: Any, params: Any, resume: bool, term: Term
    ) -> Outcome:
        plan = self._plan
        with ExitStack() as stack:
            evaluator = RayEvaluator(plan.experiment, plan.agent, plan.spec)
            stack.callback(evaluator.close)
            training = Training(plan, run, link, self._shown, evaluator, params)
            training.begin(resume=resume, term=term)
            stack.callback(training.close)
            with self._lock:
                shards = [self._moved.get(number, shard) for number, shard in enumerate(shards)]
                self._store = Store([part for _, part in shards])
                self._samplers = [
                    stack.enter_context(closing(ShardSampler(address, self._sampler)))
                    for address, _ in shards
                ]
            shown = stack.enter_context(demonstrations.served(plan, run))
            batches = Batches(
                self._samplers,
                plan.round_items,
                training.put,
                link,
                version=training.version,
                max_lag=plan.max_lag,
                learner=term.learner,
                in_order=plan.experiment.runner.synchronous,
                shown=shown,
            )
            stack.callback(batches.close)
            return training.loop(batches, self._store, self._stop.is_set)

    def _sampler(self, address: str) -> Any:
        from launch.replay.sampler import ItemSampler

        plan = self._plan
        ahead = -(-plan.round_items // plan.experiment.runner.replay_shards)
        return ItemSampler(address, plan.item, ahead=ahead, together=plan.together)

    def replaced(self, shard: int, address: str, part: Any) -> None:
        """Another server has taken the place of one of the replay's."""
        with self._lock:
            self._moved[shard] = address, part
            if self._samplers:
                self._store.replace(shard, part)
                self._samplers[shard].move(address)

    def shown(self, timeout: float) -> list[tuple[str, Any]]:
        """See `Relay.take`."""
        return self._shown.take(timeout)

    def stop(self) -> None:
        """Has `learn` return soon."""
        self._stop.set()
