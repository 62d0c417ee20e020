"""Experts that are slow, or break: nobody waits longer than told, and old answers are dropped."""

import subprocess
import sys
import threading
import time
from contextlib import closing
from typing import Any

import pytest

from environments.hints import adviser as module
from environments.hints.adviser import Adviser
from environments.players.base import Advice


class Thinker:
    """Answers with the position it is asked about, a number, once it may; remembers what it saw."""

    def __init__(self):
        self.may, self.asked = threading.Semaphore(0), []
        self.closed = threading.Event()
        self.draws = 0  # changes with every answer, as a random generator's state does

    def begin(self) -> None:
        self.asked.append("begin")

    def advise(self, state: Any, deadline: float | None = None) -> Advice:
        self.asked.append(state[0])
        assert self.may.acquire(timeout=60)
        self.draws += 1
        if state[0] < 0:
            raise RuntimeError("no such position")
        return Advice("advised", state[0], value=float(self.draws))

    def reseed(self, seed: int) -> None: ...

    def snapshot(self) -> Any:
        return self.draws

    def restore(self, snapshot: Any) -> None:
        self.draws = snapshot

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def thinker():
    return Thinker()


@pytest.fixture
def adviser(thinker):
    adviser = Adviser(thinker, wait=0.05)
    yield adviser
    for _ in range(9):
        thinker.may.release()
    adviser.close()
    assert thinker.closed.is_set()


def action(advice: Advice | None) -> int | None:
    assert advice is not None
    return advice.action


def until(look) -> Advice:
    for _ in range(6000):
        answer = look()
        if answer is not None:
            return answer
        time.sleep(0.01)
    raise AssertionError("no answer")


def test_an_answer_in_time_is_there_at_once(thinker):
    with closing(Adviser(thinker, wait=60.0)) as adviser:
        thinker.may.release()
        assert action(adviser.advise([3])) == 3


def test_a_slow_answer_comes_at_a_later_look(adviser, thinker):
    assert adviser.advise([3]) is None  # though the expert never answers
    assert adviser.look() is None
    thinker.may.release()
    assert until(adviser.look).action == 3
    assert thinker.asked == [3]


def test_an_answer_about_a_board_that_is_gone_is_dropped(adviser, thinker):
    assert adviser.advise([3]) is None
    assert adviser.advise([4]) is None
    assert thinker.asked == [3]  # one question at a time
    thinker.may.release()
    thinker.may.release()
    assert until(adviser.look).action == 4
    assert thinker.asked == [3, 4]


def test_an_expert_that_breaks_gives_no_advice(thinker, caplog):
    with closing(Adviser(thinker, wait=60.0)) as adviser:
        thinker.may.release()
        advice = adviser.advise([-1])
        assert advice is not None
        assert advice.status == "failed"
        assert "the expert broke" in caplog.text
        thinker.may.release()
        assert action(adviser.advise([5])) == 5


def test_the_expert_learns_when_an_episode_begins(adviser, thinker):
    adviser.begin()
    for position in (3, 4):
        thinker.may.release()
        assert (adviser.advise([position]) or until(adviser.look)).action == position
    adviser.begin()
    assert adviser.advise([5]) is None  # still unanswered when the next episode begins
    adviser.begin()
    assert adviser.advise([6]) is None
    for _ in range(2):
        thinker.may.release()
    assert until(adviser.look).action == 6
    assert thinker.asked == ["begin", 3, 4, "begin", 5, "begin", 6]


@pytest.mark.parametrize("outdated", [False, True], ids=["pending", "outdated"])
def test_a_snapshot_loses_no_pending_advice_and_asks_nothing_twice(outdated):
    """Here, and where it is restored, the answers are those without a snapshot."""

    def asked(thinker) -> Adviser:
        adviser = Adviser(thinker, wait=0.0)
        assert adviser.advise([3]) is None
        if outdated:
            assert adviser.advise([4]) is None
        return adviser

    def answers(adviser, thinker) -> list[tuple]:
        for _ in range(9):
            thinker.may.release()
        first = until(adviser.look)
        second = adviser.advise([7]) or until(adviser.look)
        return [(answer.action, answer.value) for answer in (first, second)]

    plain, watched, other = Thinker(), Thinker(), Thinker()
    with closing(asked(plain)) as adviser:
        expected = answers(adviser, plain)
    with closing(asked(watched)) as adviser, closing(Adviser(other, 0.0)) as restored:
        watched.may.release()
        snapshot = adviser.snapshot()
        adviser.snapshot()
        restored.restore(snapshot)
        assert answers(adviser, watched) == expected
        assert watched.asked == ([3, 4, 7] if outdated else [3, 7])
        assert answers(restored, other) == expected
        adviser.restore(snapshot)
        assert answers(adviser, watched) == expected


def test_closing_waits_a_moment_and_no_longer(thinker, monkeypatch):
    """The thread is a daemon that ends once the expert has answered."""
    adviser = Adviser(thinker, wait=0.0)
    adviser.advise([3])
    monkeypatch.setattr(module, "PARTING", 0.01)
    adviser.close()
    assert thinker.closed.is_set()
    (thread,) = (each for each in threading.enumerate() if each is adviser._thread)
    assert thread.daemon
    thinker.may.release()
    thread.join(60)
    assert not thread.is_alive()


def test_an_adviser_that_is_forgotten_leaves_no_thread(thinker):
    adviser = Adviser(thinker, wait=0.0)
    thread = adviser._thread
    del adviser
    thread.join(60)
    assert not thread.is_alive()


BUSY = r"""
import os
import time
from environments.hints.adviser import Adviser
from environments.players.base import Advice

class Slow:
    def advise(self, state, deadline=None):
        os.write(1, b"thinks\n")
        time.sleep(600)

    def close(self): ...

advisers = [Adviser(Slow(), 0.0) for _ in range(3)]
for adviser in advisers:
    adviser.advise([0])
while {waits}:
    time.sleep(0.01)
"""


@pytest.mark.parametrize("interrupted", [False, True], ids=["ends", "interrupted"])
def test_an_interpreter_ends_while_experts_think(interrupted):
    """It waits for none of them: they would take ten minutes."""
    code = BUSY.format(waits=interrupted)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        for _ in range(3):
            assert process.stdout.readline() == "thinks\n"
        if interrupted:
            process.send_signal(2)
        try:
            process.wait(60)
        finally:
            process.kill()
    assert process.returncode == (-2 if interrupted else 0)
