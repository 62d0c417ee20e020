"""How many items are on their way to the learner, so that none is too old when it gets there.

An actor asks before it begins an unroll. It may begin if its items, should they come in the order
in which they were begun, will be learnt from at most `max_lag` versions after the one it acts
with; and always, with the newest version, while the round that the learner waits for lacks items,
or else nothing would ever come. What arrives too late all the same is dropped by the learner.
"""

from dataclasses import dataclass, field


@dataclass
class _Account:
    """Items of one incarnation of an actor."""

    begun: int = 0
    received: int = 0
    given_up: int = 0  # begun, and not expected any more

    @property
    def expected(self) -> int:
        return self.begun - self.received - self.given_up


@dataclass
class Ledger:
    """Counts items begun, received, learnt from, and lost. Not thread-safe."""

    round_items: int  # of which the learner makes one version
    max_lag: int  # versions
    _accounts: dict[tuple[int, int], _Account] = field(default_factory=dict)
    _ahead: int = 0  # items expected or received that the learner has not finished with
    _unfinished: int = 0  # of these, the received ones

    def may_begin(self, items: int, version: int, newest: int) -> bool:
        """Whether an actor that acts with `version` may begin `items` items."""
        last_round = newest + (self._ahead + items - 1) // self.round_items
        return last_round <= version + self.max_lag or (
            version == newest and self._ahead < self.round_items
        )

    def begin(self, actor: int, incarnation: int, items: int) -> None:
        """An actor begins `items` items."""
        self._accounts.setdefault((actor, incarnation), _Account()).begun += items
        self._ahead += items

    def receive(self, actor: int, incarnation: int, items: int = 1) -> None:
        """The learner has `items` items of an actor, of which some may have been given up."""
        account = self._accounts.setdefault((actor, incarnation), _Account())
        returned = min(account.given_up, max(0, items - account.expected))
        account.given_up -= returned
        account.received += items
        self._ahead += returned
        self._unfinished += items

    def finish(self, items: int) -> None:
        """The learner has learnt from received items, or dropped them."""
        self._unfinished -= items
        self._ahead -= items

    def give_up(self, actor: int, incarnation: int, items: int | None = None) -> None:
        """An actor's items, by default all that are expected, will not come."""
        account = self._accounts.setdefault((actor, incarnation), _Account())
        lost = account.expected if items is None else min(items, account.expected)
        account.given_up += lost
        self._ahead -= lost

    def give_up_all(self) -> None:
        """A replay was lost, and perhaps every item that is expected."""
        for actor, incarnation in self._accounts:
            self.give_up(actor, incarnation)

    def restart_learner(self) -> None:
        """What a learner had received, and not finished with, died with it."""
        self._ahead -= self._unfinished
        self._unfinished = 0
