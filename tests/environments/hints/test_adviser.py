"""Experts that are slow, or break: nobody waits longer than told, and old answers are dropped."""

import threading
import time
from typing import Any

import pytest

from environments.hints.adviser import Adviser
from environments.players.base import Advice


class Thinker:
    """Says the position it is asked about, once it may; positions are numbers."""

    def __init__(self):
        self.may, self.asked = threading.Semaphore(0), []

    def advise(self, state: Any, deadline: float | None = None) -> Advice:
        self.asked.append(state[0])
        assert self.may.acquire(timeout=30)
        if state[0] < 0:
            raise RuntimeError("no such position")
        return Advice("advised", state[0])

    def snapshot(self) -> Any:
        return len(self.asked)

    def restore(self, snapshot: Any) -> None: ...

    def close(self) -> None:
        self.asked.append("closed")


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
    assert thinker.asked[-1] == "closed"


def until(found):
    for _ in range(600):
        answer = found()
        if answer is not None:
            return answer
        time.sleep(0.01)
    raise AssertionError("no answer")


def test_an_answer_in_time_is_there_at_once(adviser, thinker):
    thinker.may.release()
    assert adviser.advise([3]).action == 3


def test_a_slow_answer_comes_at_a_later_look(adviser, thinker):
    position, began = [3], time.monotonic()
    assert adviser.advise(position) is None
    assert time.monotonic() - began < 5
    assert adviser.look(position) is None
    thinker.may.release()
    assert until(lambda: adviser.look(position)).action == 3
    assert thinker.asked == [3]


def test_an_answer_about_a_board_that_is_gone_is_dropped(adviser, thinker):
    old, new = [3], [4]
    assert adviser.advise(old) is None
    assert adviser.advise(new) is None
    assert thinker.asked == [3]  # one question at a time
    thinker.may.release()
    thinker.may.release()
    assert until(lambda: adviser.look(new)).action == 4
    assert thinker.asked == [3, 4]


def test_an_expert_that_breaks_gives_no_advice(adviser, thinker, caplog):
    thinker.may.release()
    assert adviser.advise([-1]).status == "failed"
    assert "the expert broke" in caplog.text
    thinker.may.release()
    assert adviser.advise([5]).action == 5


def test_a_snapshot_waits_for_the_answer(adviser, thinker):
    assert adviser.advise([3]) is None
    threading.Timer(0.2, thinker.may.release).start()
    assert adviser.snapshot() == 1
