"""Worlds side by side, each in a thread of its own.

The engine runs outside Python's lock, so that worlds use as many cores as there are. A world that
waits for its opponent holds up no other: whoever uses `send` and `recv` goes on with the rest.
"""

import logging
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from environments.base import Environment, EnvironmentSpec, TimeStep
from environments.errors import UserError
from environments.processes import Home, refuse_copies
from environments.vector.arguments import checked_actions, checked_ids, checked_levels
from environments.vector.errors import WorldError
from environments.vector.inbox import Answer, Inbox
from environments.vector.world import Command, Inhabitant, Shown, World

TIMEOUT = 300.0  # seconds for an answer, unless `recv` is told otherwise
_BUILD_TIMEOUT = 1800.0  # seconds; levels may have to be downloaded
_CLOSE_TIMEOUT = 60.0  # seconds, for worlds that have nothing else to do
_EXIT_TIMEOUT = 2.0  # seconds, for those that are busy, or if nobody wants to wait
_log = logging.getLogger(__name__)


class ThreadedWorlds:
    """N environments; see `VectorEnvironment`.

    An error in a world is raised once, as WorldError, by the call that waits for its answer; the
    next action sent to that world starts a new episode. The answers of the others are kept.
    """

    def __init__(self, build: Callable[[int], Environment], count: int):
        """`build(i)` makes world i; it is called in the thread of that world.

        Raises what `build` raises, and UserError if there is to be no world.
        """
        if count < 1:
            raise UserError(f"there must be at least one world, not {count}")
        self._home = Home("worlds in threads")
        self._inbox = Inbox()
        self._worlds: list[World] = []
        self._end = weakref.finalize(self, _end, self._worlds, _EXIT_TIMEOUT)
        self._awaited: set[int] = set()
        self._arrived: deque[Answer] = deque()
        try:
            # The first alone: what it loads and compiles, the others find ready.
            self._spec, self._num_levels = self._build(build, range(1))[0].value
            self._build(build, range(1, count))
        except BaseException:
            self._end()
            raise

    def _build(self, build: Callable[[int], Environment], ids: Sequence[int]) -> list[Answer]:
        for index in ids:
            self._worlds.append(World(index, partial(build, index), self._inbox))
            self._awaited.add(index)
        try:
            return self._collect(len(ids), _BUILD_TIMEOUT)
        except (WorldError, UserError) as error:
            raise error.__cause__ or error from None

    @property
    def spec(self) -> EnvironmentSpec:
        """See `VectorEnvironment`."""
        return self._spec

    @property
    def num_environments(self) -> int:
        """See `VectorEnvironment`."""
        return len(self._worlds)

    @property
    def num_levels(self) -> int:
        """See `VectorEnvironment`."""
        return self._num_levels

    def reset(self) -> TimeStep:
        """See `VectorEnvironment.reset`."""
        self._drain()
        return stacked(self._all([Inhabitant.reset] * len(self._worlds)))

    def start(self, levels: Any) -> TimeStep:
        """See `VectorEnvironment.start`."""
        levels = checked_levels(levels, len(self._worlds), self._num_levels)
        self._drain()
        return stacked(
            self._all([partial(Inhabitant.start, level=level) for level in levels.tolist()])
        )

    def step(self, actions: Any) -> TimeStep:
        """See `VectorEnvironment.step`."""
        return stacked(self._all(self._moves(actions, range(len(self._worlds)))))

    def send(self, actions: Any, ids: Any = None) -> None:
        """See `VectorEnvironment.send`."""
        ids = checked_ids(ids, len(self._worlds))
        self._tell(ids, self._moves(actions, ids))

    def recv(self, count: int, timeout: float = TIMEOUT) -> tuple[np.ndarray, TimeStep]:
        """See `VectorEnvironment.recv`."""
        known = len(self._awaited) + len(self._arrived)
        if not 1 <= count <= known:
            raise ValueError(f"count must be 1 to {known}, the worlds sent to, not {count}")
        answers = self._collect(count, timeout)
        return np.array([answer.world for answer in answers], np.int32), stacked(answers)

    def snapshot(self) -> tuple[Any, ...]:
        """See `VectorEnvironment.snapshot`."""
        answers = self._unshown([Inhabitant.snapshot] * len(self._worlds))
        return tuple(answer.value for answer in answers)

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """See `VectorEnvironment.restore`."""
        if len(snapshot) != len(self._worlds):
            raise ValueError(
                f"the snapshot is of {len(snapshot)} worlds, not of {len(self._worlds)}"
            )
        self._drain()
        self._unshown([partial(Inhabitant.restore, snapshot=each) for each in snapshot])

    def close(self) -> None:
        """See `VectorEnvironment.close`.

        A world that still thinks about an action after 2 s ends by itself, once it has done.
        Raises TimeoutError if an idle one takes more than a minute.
        """
        if self._end.detach() is None:
            return
        left = _end(self._worlds, _EXIT_TIMEOUT)
        idle = [index for index in left if index not in self._awaited]
        if stuck := [index for index in idle if not self._worlds[index].ended(_CLOSE_TIMEOUT)]:
            raise TimeoutError(f"{_named(stuck)} did not end within {_CLOSE_TIMEOUT:g} s")
        if busy := self._awaited.intersection(left):
            _log.warning("%s: still busy; the thread ends by itself", _named(busy))

    def __reduce__(self) -> Any:
        refuse_copies("worlds in threads")

    def __enter__(self) -> "ThreadedWorlds":
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self.close()
        else:  # an interrupt, say: nobody wants to wait, nor see another error
            self._end()

    def _moves(self, actions: Any, ids: Sequence[int]) -> list[Command]:
        checked = checked_actions(actions, self._spec.action, ids)
        return [partial(Inhabitant.step, action=action) for action in checked]

    def _all(self, commands: Sequence[Command]) -> list[Answer]:
        """Every world does its command; the answers in the order of the worlds."""
        self._tell(range(len(self._worlds)), commands)
        return sorted(self._collect(len(commands), TIMEOUT), key=lambda answer: answer.world)

    def _unshown(self, commands: Sequence[Command]) -> list[Answer]:
        """The same where answers are no time steps: after an error none is left for `recv`."""
        try:
            return self._all(commands)
        except WorldError:
            self._arrived.clear()
            raise

    def _tell(self, ids: Sequence[int], commands: Sequence[Command]) -> None:
        self._home.check()
        if not self._end.alive:
            raise RuntimeError("the worlds are closed")
        busy = self._awaited.union(answer.world for answer in self._arrived).intersection(ids)
        if busy:
            raise RuntimeError(f"{_named(busy)}: receive the answer before sending again")
        self._awaited.update(ids)
        for index, command in zip(ids, commands, strict=True):
            self._worlds[index].tell(command)

    def _collect(self, count: int, timeout: float) -> list[Answer]:
        """The first `count` answers, none if one of them is an error: the others stay then."""
        self._receive(count - len(self._arrived), timeout)
        for answer in islice(self._arrived, count):
            if answer.error is not None:
                self._arrived.remove(answer)
                raise self._named_error(answer.world, answer.error) from answer.error
        return [self._arrived.popleft() for _ in range(count)]

    @staticmethod
    def _named_error(world: int, error: BaseException) -> Exception:
        if isinstance(error, UserError):
            return type(error)(f"world {world}: {error}")
        return WorldError(world, error)

    def _receive(self, count: int, timeout: float) -> None:
        """Waits for `count` more answers; keeps what came, however many."""
        self._home.check()
        arrived = self._inbox.wait(count, timeout)
        while (answer := self._inbox.take()) is not None:
            self._awaited.discard(answer.world)
            self._arrived.append(answer)
        if not arrived:
            raise TimeoutError(f"{_named(self._awaited)} did not answer within {timeout:g} s")

    def _drain(self) -> None:
        """Waits for what was sent, and drops it, errors too: a new episode follows anyway."""
        self._receive(len(self._awaited), TIMEOUT)
        self._arrived.clear()


def stacked(answers: Sequence[Answer]) -> TimeStep:
    """The time steps of some worlds as one, in new arrays, in the order given."""
    shown: list[Shown] = [answer.value for answer in answers]
    steps = [each.step for each in shown]
    return TimeStep(
        observation={
            key: _rows([step.observation[key] for step in steps]) for key in steps[0].observation
        },
        reward=np.array(
            [0.0 if step.reward is None else step.reward for step in steps], np.float32
        ),
        discount=np.array(
            [1.0 if step.discount is None else step.discount for step in steps], np.float32
        ),
        is_first=np.array([step.first() for step in steps]),
        is_last=np.array([step.last() for step in steps]),
        info={key: np.array([each.info[key] for each in shown]) for key in shown[0].info},
    )


def _rows(arrays: list[np.ndarray]) -> np.ndarray:
    """The same as `np.stack`, in half the time."""
    if not arrays[0].ndim:
        return np.array(arrays)
    return np.concatenate(arrays).reshape(len(arrays), *arrays[0].shape)


def _end(worlds: Sequence[World], timeout: float) -> list[int]:
    """Ends all worlds; those that are still busy after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    for world in worlds:
        world.end()
    return [
        index for index, world in enumerate(worlds) if not world.ended(deadline - time.monotonic())
    ]


def _named(worlds: Iterable[int]) -> str:
    listed = sorted(worlds)
    return f"world{'s' * (len(listed) > 1)} {', '.join(map(str, listed))}"
