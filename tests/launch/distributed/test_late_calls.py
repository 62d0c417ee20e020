"""Calls of parts that were killed, and that arrive when others have taken their places."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from launch.distributed.base import Weights
from launch.distributed.coordinator import FIRST, Coordinator, Term

Key = tuple[int, int]  # actor, incarnation


@dataclass
class Learner:
    """Takes items, and makes a version of every full round."""

    term: Term
    version: int
    taken: list[Key] = field(default_factory=list)


class Run:
    """A coordinator with actors, a queue and learners, one call after another."""

    def __init__(self, round_items: int, max_lag: int, worlds: list[int]):
        self.link, self.round_items = Coordinator(round_items, max_lag), round_items
        self.max_lag, self.worlds = max_lag, worlds
        self.queue: list[tuple[Key, int]] = []  # items, and the versions that made them
        self.published: list[int] = []
        self.late: list[Callable[[], object]] = []  # calls that are still on their way
        self.learner = Learner(FIRST, 0)
        self.publish(0, FIRST)
        self.keys = [(actor, self.link.start(actor)) for actor in range(len(worlds))]
        self.acting: list[int | None] = [None] * len(worlds)  # version, while it makes items

    def publish(self, version: int, term: Term, finished: int = 0) -> None:
        if self.link.publish(Weights(version, ()), finished, term.learner):
            self.published.append(version)

    def act(self, actor: int) -> bool:
        """An actor begins items, or writes those that it has begun."""
        version = self.acting[actor]
        if version is None:
            newest = self.link.version()
            if self.link.begin(*self.keys[actor], self.worlds[actor], newest, 0):
                self.acting[actor] = newest
            return self.acting[actor] is not None
        self.queue += [(self.keys[actor], version)] * self.worlds[actor]
        self.acting[actor] = None
        return True

    def kill_actor(self, actor: int) -> None:
        """It may have been about to begin, to write, or to say that its items are lost."""
        key, version, worlds = self.keys[actor], self.acting[actor], self.worlds[actor]
        newest = self.link.version()
        self.late.append(lambda: self.link.begin(*key, worlds, newest, 0))
        if version is not None:
            self.late.append(lambda: self.queue.extend([(key, version)] * worlds))
            self.late.append(lambda: self.link.give_up(*key, worlds))
        self.keys[actor] = actor, self.link.start(actor)
        self.acting[actor] = None

    def learn(self) -> bool:
        """The learner takes an item; if it is a round's last, it learns."""
        if not self.queue:
            return False
        key, version = self.queue.pop(0)
        learner = self.learner
        self.link.receive([key], learner.term.learner)
        if learner.version - version > self.max_lag:
            self.link.drop(1, learner.term.learner)
            return True
        learner.taken.append(key)
        if len(learner.taken) == self.round_items:
            learner.taken.clear()
            learner.version += 1
            self.publish(learner.version, learner.term, self.round_items)
        return True

    def kill_learner(self) -> None:
        """It may have been about to say that it has a round more, and what became of it."""
        old, number = self.learner, self.learner.term.learner
        items = [self.queue.pop(0)[0] for _ in self.queue[: self.round_items]]
        calls = (
            lambda: self.link.receive(items, number),
            lambda: self.link.drop(1, number),
            lambda: self.publish(old.version + 1, old.term, self.round_items),
        )
        self.late += calls
        term = self.link.learner_lost()
        self.link.replay_lost()
        self.learner = Learner(term, term.version)
        self.publish(term.version, term)

    def arrive(self, number: int) -> None:
        """One of the late calls arrives, in any order."""
        if self.late:
            self.late.pop(number % len(self.late))()

    def run_on(self, rounds: int) -> bool:
        """Lets everybody do what they can; whether so many rounds came of it."""
        goal = self.learner.version + rounds
        for _ in range(10_000):
            moved = self.learn()
            for actor in range(len(self.worlds)):
                moved |= self.act(actor)
            if self.learner.version >= goal or not moved:
                break
        return self.learner.version >= goal


sizes = st.tuples(
    st.integers(1, 8), st.integers(0, 3), st.lists(st.integers(1, 6), min_size=1, max_size=3)
)
events = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=100)


@given(sizes, events)
def test_late_calls_neither_hold_actors_back_nor_make_a_version_twice(size, events):
    run = Run(*size)
    for event, number in events:
        actor = number % len(run.worlds)
        if event < 4:
            run.act(actor)
        elif event < 7:
            run.learn()
        elif event == 7:
            run.kill_actor(actor)
        elif event == 8:
            run.kill_learner()
        else:
            run.arrive(number)
    while run.late:
        run.arrive(0)
    assert run.run_on(rounds=5)
    assert run.published == sorted(set(run.published))
    assert run.link.version() == run.learner.version


@given(sizes, st.integers(0, 2))
def test_after_late_calls_no_more_is_begun_than_before(size, order):
    """What a dead learner says it has learnt does not make room for more."""
    fresh, run = Run(*size), Run(*size)
    run.act(0)
    run.act(0)
    run.kill_learner()
    run.arrive(order)
    while run.late:
        run.arrive(0)

    def begun(run: Run) -> int:
        newest, items = run.link.version(), 0
        while items < 100 and run.link.begin(*run.keys[0], run.worlds[0], newest, 0):
            items += run.worlds[0]
        return items

    assert begun(run) == begun(fresh)
