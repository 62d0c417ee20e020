"""Replay servers of the local runner: in this process, or in one beside it that may die."""

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from environments.errors import UserError
from launch import configuration
from launch.distributed.coordinator import Coordinator
from launch.distributed.deaths import LIMIT, Deaths
from launch.distributed.plan import Plan, make_plan
from launch.distributed.processes import ProcessHandle
from launch.outcome import RunFailed

if TYPE_CHECKING:
    from launch.replay.server import ReplayServer

_START_SECONDS = 120.0
_ANSWER_SECONDS = 30.0
_SAVE_SECONDS = 600.0
_log = logging.getLogger(__name__)


class ReplayHost(Protocol):
    """One replay server, wherever it is."""

    @property
    def address(self) -> str:
        """Where it answers: host:port."""
        ...

    def items(self) -> int:
        """How many it holds; 0 while it cannot be asked."""
        ...

    def counts(self) -> tuple[int, int]:
        """How many items were inserted, and how many samples taken, since it began."""
        ...

    def save(self) -> None:
        """Keeps what it holds, if it is to be kept."""
        ...

    def look(self) -> None:
        """Starts it again if it died; raises RunFailed if that does not help."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...


def serve(plan: Plan, folder: Path, port: int, *, everywhere: bool = False) -> "ReplayServer":
    """The replay server of a plan in this process.

    Args:
      plan: of the run.
      folder: where its checkpoints lie.
      port: to listen on; 0 for a free one.
      everywhere: on every interface, for parts on other machines; else on loopback alone.
    """
    from launch.replay.server import ReplayServer  # TensorFlow: seconds

    return ReplayServer(
        plan.agent.data,
        plan.item,
        capacity=plan.capacity,
        port=port or None,
        everywhere=everywhere,
        checkpoints=folder,
    )


class ReplayThreads:
    """A server whose threads are of this process."""

    def __init__(self, plan: Plan, folder: Path, port: int):
        """See `serve`."""
        self._server = serve(plan, folder, port)
        self.address = f"localhost:{self._server.port}"

    def items(self) -> int:
        """See `ReplayHost`."""
        return self._server.fill()

    def counts(self) -> tuple[int, int]:
        """See `ReplayHost`."""
        return self._server.inserted(), self._server.sampled()

    def save(self) -> None:
        """See `ReplayHost`."""
        self._server.save()

    def look(self) -> None:
        """Nothing: it lives as long as this process."""

    def close(self) -> None:
        """See `ReplayHost`."""
        self._server.close()


class ReplayProcess:
    """A server in a process of its own; if it dies, another takes its port and checkpoint."""

    def __init__(self, plan: Plan, folder: Path, port: int, link: Coordinator):
        """Starts it, and waits until it serves.

        Args:
          plan: of the run.
          folder: where its checkpoints lie.
          port: to listen on; 0 for a free one.
          link: is told when a server died.

        Raises:
          UserError: the port is in use, or the checkpoint is of other items.
        """
        self._plan, self._folder, self._link = plan, folder, link
        self._lock = threading.Lock()  # the pipe is for one at a time
        self._deaths, self._questions = Deaths(), 0
        self._port = port
        self._start()
        self.address = f"localhost:{self._port}"

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._handle.pid

    def _start(self) -> None:
        self._pipe, other = multiprocessing.Pipe()
        document = configuration.to_json(self._plan.experiment)
        arguments = document, self._folder, self._port, other
        self._handle = ProcessHandle(_serve, arguments, "replay")
        other.close()
        answer = self._receive(_START_SECONDS)
        if not isinstance(answer, int):
            self._handle.kill()
            raise UserError(answer or "the replay server did not start")
        self._port = answer

    def _receive(self, timeout: float) -> Any:
        try:
            return self._pipe.recv() if self._pipe.poll(timeout) else None
        except (EOFError, OSError):
            return None

    def _ask(self, what: str, timeout: float) -> Any:
        """The server's answer; None if it is dead or too slow, or has none."""
        with self._lock:
            self._questions += 1
            try:
                self._pipe.send((self._questions, what))
            except OSError:
                return None
            deadline = time.monotonic() + timeout
            while (left := deadline - time.monotonic()) > 0:
                number, answer = self._receive(left) or (self._questions, None)
                if number == self._questions:  # not one that came too late
                    return answer
            return None

    def items(self) -> int:
        """See `ReplayHost`."""
        return self._ask("items", _ANSWER_SECONDS) or 0

    def counts(self) -> tuple[int, int]:
        """See `ReplayHost`."""
        return self._ask("counts", _ANSWER_SECONDS) or (0, 0)

    def save(self) -> None:
        """See `ReplayHost`. Raises UserError if it cannot be written."""
        answer = self._ask("save", _SAVE_SECONDS)
        if isinstance(answer, str):
            raise UserError(answer)
        if answer is None:
            _log.warning("the replay did not keep what it holds: it is dead, or too slow")

    def look(self) -> None:
        """See `ReplayHost`."""
        if not self._handle.ended():
            return
        if self._deaths.hopeless(self._link.version()):
            raise RunFailed(
                f"the replay server died {LIMIT} times without an update: {self._handle.death()}"
            )
        with self._lock:
            try:
                self._start()
            except UserError as error:
                raise RunFailed(f"the replay server cannot be started again: {error}") from error
        self._link.replay_lost()

    def close(self) -> None:
        """See `ReplayHost`."""
        self._ask("close", _ANSWER_SECONDS)
        self._handle.kill()
        self._pipe.close()


def _serve(document: dict[str, Any], folder: Path, port: int, pipe: Any) -> None:
    """The process: answers until it is told to end."""
    try:
        server = serve(make_plan(configuration.from_json(document)), folder, port)
    except UserError as error:
        pipe.send(str(error))
        return
    pipe.send(server.port)
    answers: dict[str, Callable[[], Any]] = {
        "items": server.fill,
        "counts": lambda: (server.inserted(), server.sampled()),
        "save": server.save,
        "close": server.close,
    }
    while True:
        number, what = pipe.recv()
        pipe.send((number, _answer(answers[what])))
        if what == "close":
            return


def _answer(ask: Callable[[], Any]) -> Any:
    """What `ask` gives, or True; the message of a UserError; None for another error."""
    try:
        answer = ask()
        return True if answer is None else answer
    except UserError as error:
        return str(error)
    except Exception:  # whatever Reverb raises: the server goes on, for it holds items
        _log.exception("the replay server has no answer")
        return None
