"""Watches over the parts of a run: replaces actors that died, ends a run that does not go on."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from launch.distributed.coordinator import Link
from launch.distributed.deaths import LIMIT, Deaths
from launch.outcome import RunFailed

_LOOK_SECONDS = 0.5
_LOOK_END_SECONDS = 150.0  # for a replay that is being started again
_END_SECONDS = 15.0  # for an actor to end by itself


class Handle(Protocol):
    """A part that runs beside the one who holds this."""

    def death(self) -> str | None:
        """Why it died; None while it lives, or if it ended as it was asked to."""
        ...

    def ended(self) -> bool:
        """Whether it is over, however it ended."""
        ...

    def kill(self) -> None:
        """Ends it at once, if that can be done."""
        ...


@dataclass
class _Slot:
    handle: Handle
    deaths: Deaths = field(default_factory=Deaths)


class Supervisor:
    """Keeps `actors` actors alive, and looks whether there is progress.

    A thread looks; what it finds that nobody can mend is raised by `check`.
    """

    def __init__(
        self,
        link: Link,
        start: Callable[[int, int], Handle],
        actors: int,
        *,
        stall_seconds: float,
        say: Callable[[str], None],
        look: Callable[[], None] = lambda: None,
    ):
        """Args:
        link: to the coordinator.
        start: starts an actor, by number and incarnation.
        actors: how many.
        stall_seconds: without an update, after which the run is given up.
        say: told of deaths.
        look: called every now and then, to look after other parts; may raise RunFailed.
        """
        self._link, self._start, self._say, self._look = link, start, say, look
        self._stall_seconds = stall_seconds
        self._progress = (-2, time.monotonic())  # the version seen last, and when
        self._slots: list[_Slot] = []
        self._failure: RunFailed | None = None
        self._closing = threading.Event()
        try:
            for actor in range(actors):
                self._slots.append(_Slot(start(actor, link.start(actor))))
        except Exception as error:
            for slot in self._slots:
                slot.handle.kill()
            with contextlib.suppress(RunFailed):
                link.stop()  # for threads, which cannot be killed
            raise RunFailed(f"actor {len(self._slots)} cannot be started: {error}") from error
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises RunFailed if the run cannot go on."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Has all actors end, and waits until they have; the slow are killed."""
        self._closing.set()
        self._thread.join(_LOOK_END_SECONDS)
        deadline = time.monotonic()
        with contextlib.suppress(RunFailed):  # the coordinator is dead: then they do not hear of it
            self._link.stop()
            deadline += _END_SECONDS
        for slot in self._slots:
            while not slot.handle.ended() and time.monotonic() < deadline:
                time.sleep(0.01)
            slot.handle.kill()

    def _run(self) -> None:
        while not self._closing.wait(_LOOK_SECONDS):
            try:
                if self._link.stopping():
                    continue  # what ends now is meant to, and nothing is learnt any more
                self._look()
                for actor, slot in enumerate(self._slots):
                    self._replace_if_dead(actor, slot)
                self._check_progress()
            except RunFailed as failure:
                self._failure = failure
                return
            except Exception as error:
                self._failure = RunFailed(f"watching over the run failed: {error!r}")
                return

    def _replace_if_dead(self, actor: int, slot: _Slot) -> None:
        death = slot.handle.death()
        if death is None:
            return
        if slot.deaths.hopeless(self._link.finished_unrolls(actor)):
            raise RunFailed(
                f"actor {actor} died {LIMIT} times without finishing an unroll: {death}"
            )
        slot.handle.kill()
        incarnation = self._link.start(actor)
        self._say(f"actor {actor} died ({death}); incarnation {incarnation} takes its place")
        slot.handle = self._start(actor, incarnation)

    def _check_progress(self) -> None:
        version, since = self._progress
        now, newest = time.monotonic(), self._link.version()
        if newest != version:
            self._progress = newest, now
        elif now - since > self._stall_seconds:
            raise RunFailed(
                f"no update for {self._stall_seconds / 60:g} minutes (runner.stall_minutes). "
                f"What everyone is at:\n{self._link.status()}"
            )
