"""The learners seen from the driver: started, shown, started again when one dies, ended."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from environments.errors import UserError
from launch.distributed.coordinator import FIRST, Term
from launch.distributed.deaths import LIMIT, Deaths
from launch.distributed.ray_cluster import exceptions, ray
from launch.distributed.ray_group import LearnerGroup
from launch.distributed.ray_handles import RayHandle, checked
from launch.distributed.ray_link import RayLink
from launch.distributed.ray_replay import Shard
from launch.outcome import Outcome, RunFailed
from launch.progress import Display
from launch.published import InitialParams

_LOOK_SECONDS = 0.5
_ANSWER_SECONDS = 30.0
_BEGIN_SECONDS = 600.0  # a place in the cluster, imports, levels
_SAVE_SECONDS = 600.0  # for a last checkpoint


class RayTraining:
    """One run's learning. All but `moved` is for one thread."""

    def __init__(
        self,
        arguments: tuple,
        learners: list[dict[str, Any]],
        run: Path,
        coordinator: Any,
        shards: Sequence[Shard],
        display: Display,
        initial_params: InitialParams | None,
    ):
        """Has the learners' processes get ready; does not wait for them.

        Args:
          arguments: of `LearnerPart`.
          learners: the place of each; see `ray_group.places`.
          run: the folder, as all nodes see it.
          coordinator: its handle.
          shards: of the replay.
          display: shows progress.
          initial_params: see `training.Training`.
        """
        self._arguments, self._places = arguments, learners
        self._run, self._coordinator, self._shards = run, coordinator, shards
        self._display, self._initial_params = display, initial_params
        self._link = RayLink(coordinator)
        self._lock = threading.Lock()  # of the servers that the learner knows
        self._deaths = Deaths()
        self._handle: RayHandle | None = None
        self._told_to_end = False
        self._group = LearnerGroup(arguments, learners)

    def begin(self, *, resume: bool, term: Term = FIRST) -> None:
        """Has it learn; see `training.Training.begin`. Waits for nothing."""
        with self._lock:
            shards = [(shard.address, shard.part) for shard in self._shards]
            call = self._group.leader.learn.remote(
                *(self._group.ready, self._run, self._coordinator, shards),
                *(self._initial_params, resume, term),
            )
        self._handle = RayHandle(self._group.leader, call)

    def wait(self) -> None:
        """Returns when the first weights are there.

        Raises UserError or RunFailed if they do not come.
        """
        deadline = time.monotonic() + _BEGIN_SECONDS
        while self._link.version() < 0:
            if time.monotonic() > deadline:
                raise RunFailed(f"the learner did not begin within {_BEGIN_SECONDS:.0f} s")
            self.show(_LOOK_SECONDS)
            self.outcome()

    def moved(self, number: int) -> None:
        """Tells the learner of the server that has taken the place of a shard's."""
        shard = self._shards[number]
        with self._lock:
            self._group.leader.replaced.remote(number, shard.address, shard.part)

    def show(self, timeout: float) -> None:
        """Shows what the learner says; waits up to `timeout` seconds for something."""
        try:
            shown = ray.get(
                self._group.leader.shown.remote(timeout), timeout=timeout + _ANSWER_SECONDS
            )
        except (exceptions.RayActorError, exceptions.GetTimeoutError):
            time.sleep(timeout)
            return
        for how, what in shown:
            getattr(self._display, how)(what)

    def outcome(self) -> Outcome | None:
        """How it ended; None while it goes on. If one died, others go on from the checkpoint.

        Raises UserError or RunFailed if it ended that way.
        """
        assert self._handle is not None
        ended = self._handle.ended()
        death = self._handle.death() if ended else self._group.death()
        if death is not None:
            self._replace(death)
        elif ended:
            self.show(0.0)
            return checked(self._handle.result())
        return None

    def _replace(self, death: str) -> None:
        self.kill()
        term = self._link.learner_lost()
        if self._deaths.hopeless(term.version - 1, successor=term.version):
            raise RunFailed(f"the learner died {LIMIT} times without an update: {death}")
        self._display.say(f"the learner died ({death}); another goes on from its checkpoint")
        self._link.replay_lost()  # for it may have held items that it had told nobody of
        self._group = LearnerGroup(self._arguments, self._places)
        self.begin(resume=True, term=term)

    def end(self) -> Outcome:
        """Has it write a checkpoint and end. Raises RunFailed if it does not."""
        assert self._handle is not None
        self._told_to_end = True
        self._group.leader.stop.remote()
        deadline = time.monotonic() + _SAVE_SECONDS
        while not self._handle.ended():
            if time.monotonic() > deadline:
                raise RunFailed(f"the learner did not end within {_SAVE_SECONDS:.0f} s")
            self.show(_LOOK_SECONDS)
        if (death := self._handle.death()) is not None:
            raise RunFailed(f"the learner died before its last checkpoint: {death}")
        self.show(0.0)
        return checked(self._handle.result())

    def close(self) -> None:
        """Ends it if it still runs; its last checkpoint is kept if something else went wrong.

        One that was told to end before, and has not, is killed.
        """
        try:
            if self._handle is not None and not (self._told_to_end or self._handle.ended()):
                self.end()
        except (RunFailed, UserError) as error:
            self._display.say(str(error))
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends its processes."""
        self._group.kill()
