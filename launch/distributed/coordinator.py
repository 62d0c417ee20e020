"""Where the parts of a run meet: weights, permission to act, statistics, what everyone waits for.

One object, in the supervisor's process. Threads call it directly, processes through a manager,
nodes through Ray; so arguments and results are plain data, and every wait has a timeout.
"""

import threading
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field, fields
from typing import Any

from launch.distributed.base import Weights
from launch.distributed.ledger import Ledger

_CALLERS = 10_000  # that are remembered: far more than call within a minute


@dataclass
class ActorReport:
    """What an actor did since its last report; sums, which add up over actors."""

    frames: int = 0
    episodes: int = 0
    successes: int = 0
    returns: float = 0.0  # of the game's own rewards
    auxiliary: float = 0.0  # return of what hints add to them
    lengths: int = 0
    unrolls: int = 0
    act_seconds: float = 0.0  # choosing actions
    step_seconds: float = 0.0  # in the environments
    wait_seconds: float = 0.0  # for permission
    write_seconds: float = 0.0  # to the replay
    # Over the episodes that ended, what their `info` counts, see `COUNTED`; only what it does.
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: "ActorReport") -> None:
        """Adds `other` to this."""
        for each in fields(self):
            if each.name == "counts":
                self.counts.update(other.counts)  # a sum would forget what is 0
            else:
                setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True)
class Term:
    """What sets a learner apart from those before it in the same run."""

    learner: int = 0  # its number
    version: int = 0  # at least that of the first weights that it publishes


FIRST = Term()


@dataclass
class _Part:
    doing: str
    since: float = field(default_factory=time.monotonic)


@dataclass
class _Caller:
    lock: threading.Lock = field(default_factory=threading.Lock)
    number: int = -1  # of its last call
    result: Any = None


class Coordinator:
    """Thread-safe. A part is named by its role and number: `actor 3`, `learner`."""

    def __init__(self, round_items: int, max_lag: int | None):
        """Begins without weights.

        Args:
          round_items: items that the learner takes for one version.
          max_lag: in versions; None if items may be of any age (they are drawn from a replay).
        """
        self._changed = threading.Condition()
        self._weights: Weights | None = None
        self._ledger = Ledger(round_items, max_lag or 0)
        self._bounded = max_lag is not None
        self._learner = 0  # the number of the one that learns
        self._report, self._told = ActorReport(), ActorReport()
        self._finished_unrolls: Counter[int] = Counter()
        self._starts: Counter[int] = Counter()
        self._first_incarnation = 0
        self._parts: dict[str, _Part] = {}
        self._stopping = False
        self._callers: OrderedDict[str, _Caller] = OrderedDict()  # the longest silent first
        self._calling = threading.Lock()  # of these

    # Calls that may come twice

    def once(self, caller: str, number: int, name: str, *arguments: Any) -> Any:
        """Calls the method `name`, unless this is the repeat of a call that was made already.

        A repeat gets the result of the first, and waits for it if need be.

        Args:
          caller: makes one call at a time, repeats included.
          number: of the call; a caller's later calls have higher ones.
          name: of the method.
          *arguments: of the method.
        """
        with self._calling:
            known = self._callers.setdefault(caller, _Caller())
            self._callers.move_to_end(caller)
            if len(self._callers) > _CALLERS:
                self._callers.popitem(last=False)
        with known.lock:
            if number > known.number:
                known.result = getattr(self, name)(*arguments)
                known.number = number
            # Of a repeat that is late, nobody waits for the result.
            return known.result if number == known.number else None

    # Weights

    def publish(self, weights: Weights, finished: int = 0, learner: int = 0) -> bool:
        """Puts out a new version, made with `finished` items.

        Returns:
          Whether it was taken: not from a learner whose place another has taken.
        """
        with self._changed:
            if learner != self._learner:
                return False
            self._weights = weights
            self._ledger.finish(finished)
            self._told.add(self._report)
            self._report = ActorReport()
            self._changed.notify_all()
            return True

    def weights(self, newer_than: int, timeout: float) -> Weights | None:
        """The newest weights as soon as their version is above `newer_than`; None if that takes
        longer than `timeout` seconds, or the run is stopping."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._version > newer_than, timeout)
            return self._weights if self._version > newer_than else None

    def version(self) -> int:
        """Of the newest weights; -1 before the first."""
        with self._changed:
            return self._version

    @property
    def _version(self) -> int:
        return -1 if self._weights is None else self._weights.version

    # Permission to act

    def begin(self, actor: int, incarnation: int, items: int, version: int, timeout: float) -> bool:
        """Whether the actor may begin `items` items with `version`; waits up to `timeout` seconds.

        Returns early, with False, when there is a newer version to act with, the run stops, or
        another incarnation was started: the call of one that died may wait here still, and nobody
        would give up what it is granted.
        """

        def over() -> bool:
            newest = self._first_incarnation + self._starts[actor] - 1
            return self._stopping or incarnation != newest

        def may() -> bool:
            return not self._bounded or self._ledger.may_begin(items, version, self._version)

        with self._changed:
            self._changed.wait_for(lambda: over() or self._version > version or may(), timeout)
            if over() or not may():
                return False
            self._ledger.begin(actor, incarnation, items)
            return True

    def receive(self, stamps: list[tuple[int, int]], learner: int = 0) -> None:
        """A learner has items of these actors and incarnations."""
        with self._changed:
            if learner != self._learner:
                return
            for (actor, incarnation), items in Counter(stamps).items():
                self._ledger.receive(actor, incarnation, items)

    def drop(self, items: int, learner: int = 0) -> None:
        """A learner will not learn from so many of the items that it has."""
        with self._changed:
            if learner != self._learner:
                return
            self._ledger.finish(items)
            self._changed.notify_all()

    def give_up(self, actor: int, incarnation: int, items: int | None = None) -> None:
        """Items of an actor, by default all, are lost on their way."""
        with self._changed:
            self._ledger.give_up(actor, incarnation, items)
            self._changed.notify_all()

    def replay_lost(self) -> None:
        """A replay died, or items from it went astray: what is on its way may not come."""
        with self._changed:
            self._ledger.give_up_all()
            self._changed.notify_all()

    def learner_lost(self) -> Term:
        """The learner died with what it had received. Calls of its that are still to come count
        for nothing.

        Returns:
          The term of the one that takes its place.
        """
        with self._changed:
            self._learner += 1
            self._ledger.restart_learner()
            self._changed.notify_all()
            return Term(self._learner, self._version + 1)

    # Actors come and go

    def resume(self, incarnation: int) -> None:
        """Incarnations are counted from `incarnation` on: those below it were used before.

        Nothing happens once an actor was started: then it is only the learner that resumes.
        """
        with self._changed:
            if not self._starts:
                self._first_incarnation = incarnation

    def start(self, actor: int) -> int:
        """An actor starts, again perhaps, in the incarnation that is returned.

        What the one before had begun is given up.
        """
        with self._changed:
            incarnation = self._first_incarnation + self._starts[actor]
            if self._starts[actor]:
                self._ledger.give_up(actor, incarnation - 1)
            self._starts[actor] += 1
            self._changed.notify_all()
            return incarnation

    def next_incarnation(self) -> int:
        """Above all that were used."""
        with self._changed:
            return self._first_incarnation + max(self._starts.values(), default=0)

    def replaced(self) -> int:
        """How many actors were started again."""
        with self._changed:
            return sum(self._starts.values()) - len(self._starts)

    # Statistics, and what everyone is doing

    def report(self, actor: int, report: ActorReport) -> None:
        """Adds what an actor did."""
        with self._changed:
            self._report.add(report)
            self._finished_unrolls[actor] += report.unrolls

    def take_report(self) -> ActorReport:
        """The sum of what was reported since the last call, up to the newest version.

        In step, what is done with a version is reported after it was published, but when exactly
        is chance.
        """
        with self._changed:
            report, self._told = self._told, ActorReport()
            return report

    def finished_unrolls(self, actor: int) -> int:
        """How many unrolls an actor has finished in all its incarnations."""
        with self._changed:
            return self._finished_unrolls[actor]

    def doing(self, part: str, what: str) -> None:
        """Notes what a part of the run is doing from now on."""
        with self._changed:
            self._parts[part] = _Part(what)

    def status(self) -> str:
        """What everyone is doing, and for how long: one line each."""
        now = time.monotonic()
        with self._changed:
            return "\n".join(
                f"  {name}: {part.doing}, for {now - part.since:.0f} s"
                for name, part in sorted(self._parts.items())
            )

    # The end

    def stop(self) -> None:
        """Asks all actors to end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def stopping(self) -> bool:
        """Whether they were asked to."""
        return self._stopping


Link = Any  # a Coordinator, or what stands for one in another process
