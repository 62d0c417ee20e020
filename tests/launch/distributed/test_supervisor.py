"""The supervisor on threads: who is replaced, when there is no hope, what is left behind."""

import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from launch.distributed.base import Weights
from launch.distributed.coordinator import ActorReport, Coordinator
from launch.distributed.supervisor import Supervisor
from launch.distributed.threads import ThreadHandle
from launch.outcome import RunFailed


def coordinator() -> Coordinator:
    link = Coordinator(4, 1)
    link.publish(Weights(0, ()))
    return link


def failure_of(supervisor: Supervisor) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            supervisor.check()
        except RunFailed as failure:
            return str(failure)
        time.sleep(0.01)
    raise AssertionError("it goes on for ever")


def test_an_actor_that_acts_but_never_delivers_is_given_up():
    link = coordinator()

    def start(actor: int, incarnation: int) -> ThreadHandle:
        def act() -> None:
            link.report(actor, ActorReport(frames=7))
            raise ValueError("the item is not of the spec")

        return ThreadHandle(act, f"actor {actor}")

    with closing(Supervisor(link, start, 1, stall_seconds=60, say=print)) as supervisor:
        said = failure_of(supervisor)
    assert "died 5 times without finishing an unroll: ValueError: the item is not" in said


def test_one_that_delivers_now_and_then_is_replaced_again_and_again():
    link, done = coordinator(), threading.Event()

    def start(actor: int, incarnation: int) -> ThreadHandle:
        def act() -> None:
            link.report(actor, ActorReport(unrolls=1))
            if incarnation >= 7:
                done.set()
                while not link.stopping():
                    time.sleep(0.01)
                return
            raise OSError("now and then")

        return ThreadHandle(act, f"actor {actor}")

    with closing(Supervisor(link, start, 1, stall_seconds=60, say=print)) as supervisor:
        assert done.wait(60)
        supervisor.check()
    assert link.replaced() == 7


def test_nobody_is_left_if_one_cannot_be_started():
    link, killed = coordinator(), []

    class Handle(ThreadHandle):
        def kill(self) -> None:
            killed.append(self)

    def start(actor: int, incarnation: int) -> Handle:
        if actor == 2:
            raise BlockingIOError("resource temporarily unavailable")
        return Handle(lambda: None, f"actor {actor}")

    with pytest.raises(RunFailed, match="actor 2 cannot be started: resource temporarily"):
        Supervisor(link, start, 3, stall_seconds=60, say=print)
    assert len(killed) == 2
    assert link.stopping()  # threads end by that


class Watched(Coordinator):
    """Knows how often it was asked whether the run is stopping since it is."""

    def __init__(self):
        super().__init__(4, 1)
        self.asked = threading.Semaphore(0)

    def stopping(self) -> bool:
        stopping = super().stopping()
        if stopping and threading.current_thread().name == "supervisor":
            self.asked.release()
        return stopping


def idle(link: Coordinator) -> Callable[[int, int], ThreadHandle]:
    """Starts actors that do nothing until the run stops."""

    def act() -> None:
        while not link.stopping():
            time.sleep(0.01)

    return lambda actor, incarnation: ThreadHandle(act, f"actor {actor}")


def test_standing_still_ends_the_run():
    link = coordinator()
    link.doing("actor 0", "waiting for a miracle")
    with closing(Supervisor(link, idle(link), 1, stall_seconds=0.1, say=print)) as supervisor:
        assert "actor 0: waiting for a miracle, for" in failure_of(supervisor)


def test_a_run_that_is_over_may_stand_still():
    link = Watched()
    with closing(Supervisor(link, idle(link), 1, stall_seconds=0.1, say=print)) as supervisor:
        link.stop()
        for _ in range(3):  # looks, half a second apart
            assert link.asked.acquire(timeout=60)
        supervisor.check()


class Dead(Coordinator):
    """A coordinator that cannot be told to stop."""

    def stop(self) -> None:
        raise RunFailed("the coordinator does not answer")


def test_actors_are_ended_without_a_coordinator():
    link, killed = Dead(4, 1), threading.Event()

    class Handle(ThreadHandle):
        def kill(self) -> None:
            killed.set()

    def start(actor: int, incarnation: int) -> Handle:
        def act() -> None:
            killed.wait(60)

        return Handle(act, f"actor {actor}")

    Supervisor(link, start, 1, stall_seconds=60, say=print).close()
    assert killed.is_set()
