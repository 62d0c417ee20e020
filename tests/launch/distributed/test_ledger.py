"""Permission to begin items: never too far ahead, and never stuck."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launch.distributed.ledger import Ledger


class Run:
    """Actors, a queue and a learner, one event after another."""

    def __init__(self, round_items: int, max_lag: int, worlds: list[int]):
        self.ledger = Ledger(round_items, max_lag)
        self.worlds, self.newest = worlds, 0
        self.incarnations = [0] * len(worlds)
        self.versions = [0] * len(worlds)  # that each actor acts with
        self.acting: list[int | None] = [None] * len(worlds)  # version, while it makes items
        self.queue: list[tuple[int, int, int]] = []  # actor, incarnation, version
        self.received: list[int] = []  # versions
        self.lags: list[int] = []
        self.dropped = 0

    def begin(self, actor: int, *, newest: bool) -> bool:
        if self.acting[actor] is not None:
            return False
        self.versions[actor] = self.newest if newest else self.versions[actor]
        version = self.versions[actor]
        if not self.ledger.may_begin(self.worlds[actor], version, self.newest):
            return False
        self.ledger.begin(actor, self.incarnations[actor], self.worlds[actor])
        self.acting[actor] = version
        return True

    def finish(self, actor: int) -> bool:
        version = self.acting[actor]
        if version is None:
            return False
        self.queue += [(actor, self.incarnations[actor], version)] * self.worlds[actor]
        self.acting[actor] = None
        return True

    def kill(self, actor: int) -> None:
        self.acting[actor] = None
        self.ledger.give_up(actor, self.incarnations[actor])
        self.incarnations[actor] += 1

    def lose_replay(self) -> None:
        self.queue.clear()
        self.ledger.give_up_all()

    def lose_learner(self) -> None:
        self.received.clear()
        self.ledger.restart_learner()
        self.newest += 1

    def learn(self) -> bool:
        """One step of the learner: takes an item, and learns once it has enough."""
        if not self.queue:
            return False
        actor, incarnation, version = self.queue.pop(0)
        self.ledger.receive(actor, incarnation)
        if self.newest - version > self.ledger.max_lag:
            self.dropped += 1
            self.ledger.finish(1)
            return True
        self.received.append(version)
        if len(self.received) == self.ledger.round_items:
            self.lags += [self.newest - version for version in self.received]
            self.ledger.finish(len(self.received))
            self.received.clear()
            self.newest += 1
        return True

    def run_on(self, rounds: int) -> bool:
        """Lets everybody do what they can; whether so many rounds came of it."""
        goal = self.newest + rounds
        for _ in range(10_000):
            moved = self.learn()
            for actor in range(len(self.worlds)):
                moved |= self.begin(actor, newest=True)
                moved |= self.finish(actor)
            if self.newest >= goal:
                return True
            if not moved:
                return False
        return False


sizes = st.tuples(
    st.integers(1, 8), st.integers(0, 3), st.lists(st.integers(1, 6), min_size=1, max_size=3)
)


@given(sizes, st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2)), max_size=120))
def test_whatever_happens_the_run_goes_on(size, events):
    run = Run(*size)
    for event, actor in events:
        actor %= len(run.worlds)
        if event < 3:
            run.learn()
        elif event == 3:
            run.begin(actor, newest=True)
        elif event == 4:
            run.begin(actor, newest=False)
        elif event == 5:
            run.finish(actor)
        elif event == 6:
            run.kill(actor)
        elif actor == 0:
            run.lose_replay()
        else:
            run.lose_learner()
    assert run.run_on(rounds=5)
    assert all(0 <= lag <= run.ledger.max_lag for lag in run.lags)


@given(st.integers(1, 8), st.integers(0, 3), st.integers(1, 3), st.data())
def test_nothing_is_dropped_if_items_come_in_order(worlds, max_lag, actors, data):
    """One actor whose worlds divide the round: whatever the speeds, no item is too old."""
    run = Run(worlds * actors, max_lag, [worlds])
    for event in data.draw(st.lists(st.integers(0, 3), max_size=100)):
        if event == 0:
            run.begin(0, newest=True)
        elif event == 1:
            run.finish(0)
        else:
            run.learn()
    assert run.run_on(rounds=3)
    assert run.dropped == 0


@pytest.mark.parametrize("max_lag", [0, 1, 4])
def test_how_far_ahead(max_lag):
    ledger = Ledger(round_items=4, max_lag=max_lag)
    begun = 0
    while ledger.may_begin(2, version=0, newest=0):
        ledger.begin(0, 0, 2)
        begun += 2
    assert begun == 4 * (max_lag + 1)
    ledger.receive(0, 0, 4)
    ledger.finish(4)
    assert not ledger.may_begin(2, version=0, newest=1)  # as far ahead as before
    assert ledger.may_begin(2, version=1, newest=1)


def test_items_that_were_given_up_may_come_all_the_same():
    ledger = Ledger(round_items=4, max_lag=0)
    ledger.begin(0, 0, 4)
    assert not ledger.may_begin(4, version=0, newest=0)
    ledger.give_up(0, 0)
    assert ledger.may_begin(4, version=0, newest=0)
    ledger.receive(0, 0, 3)
    assert ledger.may_begin(1, version=0, newest=0)
    ledger.begin(0, 1, 1)
    assert not ledger.may_begin(1, version=0, newest=0)
