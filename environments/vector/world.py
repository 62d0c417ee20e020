"""One world and the thread that it lives in: built, stepped, rendered and closed by it alone."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import dm_env

from environments.single import Environment
from environments.vector.inbox import Answer, Inbox


@dataclass(frozen=True)
class Shown:
    """A time step of one world, and its scalars."""

    step: dm_env.TimeStep
    info: dict[str, Any]


class Inhabitant:
    """What the thread of a world does with its environment."""

    def __init__(self, environment: Environment):
        self.environment = environment
        self._broken = False  # whether the last step failed, so that the next must reset

    def step(self, action: Any) -> Shown:
        """One step; a reset instead if the last one failed."""
        environment = self.environment
        return (
            self._shown(environment.reset)
            if self._broken
            else self._shown(environment.step, action)
        )

    def reset(self) -> Shown:
        """A new episode on a level drawn at random."""
        return self._shown(self.environment.reset)

    def start(self, level: int) -> Shown:
        """A new episode on `level`."""
        return self._shown(self.environment.reset_to, level)

    def _shown(self, act: Callable[..., dm_env.TimeStep], *args: Any) -> Shown:
        self._broken = True
        step = act(*args)
        self._broken = False
        return Shown(step, self.environment.info)

    def snapshot(self) -> Any:
        """The environment's snapshot, and whether its last step failed."""
        return self.environment.snapshot(), self._broken

    def restore(self, snapshot: Any) -> None:
        """Goes back to `snapshot`."""
        self._broken = True
        inner, broken = snapshot
        self.environment.restore(inner)
        self._broken = broken


Command = Callable[[Inhabitant], Any]


class World:
    """A thread that builds an environment, does what it is told, and closes it.

    Building, and every command, is answered once, in order; the first answer's value is the spec
    and the number of levels. The thread is a daemon: an interpreter that ends does not wait for a
    world that is busy.
    """

    def __init__(self, index: int, build: Callable[[], Environment], answers: Inbox):
        self._commands: SimpleQueue[Command | None] = SimpleQueue()
        self._thread = threading.Thread(
            target=_live,
            args=(index, build, self._commands, answers),
            daemon=True,
            name=f"world-{index}",
        )
        self._thread.start()

    def tell(self, command: Command) -> None:
        """Has the thread do `command`; returns at once."""
        self._commands.put(command)

    def end(self) -> None:
        """Has the thread close the environment and end, once it has done what it was told."""
        self._commands.put(None)

    def ended(self, timeout: float) -> bool:
        """Whether the thread has ended, waited for up to `timeout` seconds."""
        if self._thread is not threading.current_thread():  # which the garbage collector may use
            self._thread.join(max(0.0, timeout))
        return not self._thread.is_alive()


def _live(
    index: int,
    build: Callable[[], Environment],
    commands: "SimpleQueue[Command | None]",
    answers: Inbox,
) -> None:
    try:
        inhabitant = Inhabitant(build())
        environment = inhabitant.environment
        answers.put(Answer(index, (environment.spec, environment.num_levels)))
    except BaseException as error:
        answers.put(Answer(index, error=error))
        return
    try:
        while (command := commands.get()) is not None:
            try:
                answer = Answer(index, command(inhabitant))
            except BaseException as error:
                answer = Answer(index, error=error)
            answers.put(answer)
            del command, answer  # so that a world that waits keeps nothing of its last step
    finally:
        environment.close()
