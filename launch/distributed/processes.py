"""Parts as processes of this machine, and how they reach the coordinator.

Processes are spawned, never forked: JAX and TensorFlow do not survive a fork. Each ends when the
process that started it does, however that ended.
"""

import contextlib
import multiprocessing
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import resource_tracker
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any

import jax

from environments.errors import UserError
from launch.distributed.coordinator import Coordinator
from launch.signals import NUMBERS

_CONTEXT = multiprocessing.get_context("spawn")
_JOIN_SECONDS = 10.0
_METHODS = (
    *("begin", "doing", "drop", "give_up", "receive", "replay_lost", "report", "stopping"),
    *("start", "version", "weights"),
)


class _Manager(BaseManager):
    """Serves one coordinator to whoever knows the key, on this machine."""


class Switchboard:
    """Lets other processes of this machine call a coordinator."""

    def __init__(self, coordinator: Coordinator):
        """Begins to serve, in a thread."""

        class Serving(_Manager):
            pass

        Serving.register("coordinator", callable=lambda: coordinator, exposed=_METHODS)
        # A name without a file: nothing is left behind, however this process ends.
        self.address = f"\0moravec-{os.getpid()}-{secrets.token_hex(8)}"
        self.key = secrets.token_bytes(32)
        manager = Serving(address=self.address, authkey=self.key)
        server = manager.get_server()
        threading.Thread(target=server.serve_forever, name="switchboard", daemon=True).start()


def connect(address: str, key: bytes) -> Any:
    """The coordinator that a `Switchboard` serves."""

    class Calling(_Manager):
        pass

    Calling.register("coordinator", exposed=_METHODS)
    manager: Any = Calling(address=address, authkey=key)
    manager.connect()
    return manager.coordinator()


class ProcessHandle:
    """A part in a process of its own; see `supervisor.Handle`."""

    def __init__(self, target: Callable[..., None], arguments: tuple, name: str):
        """Starts `target(*arguments)`, which must be importable, in a process called `name`."""
        self._process = _CONTEXT.Process(
            target=_run, args=(target, arguments), name=name, daemon=True
        )
        # A signal to the whole group (Ctrl-C) would end a process that does not ignore it yet.
        resource_tracker.ensure_running()  # which else would unblock them when it is started
        before = signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @property
    def pid(self) -> int:
        """The process' number."""
        return self._process.pid or 0

    def death(self) -> str | None:
        """See `Handle`."""
        code = self._process.exitcode
        if code in (None, 0):
            return None
        return f"killed by signal {-code}" if code < 0 else f"exit status {code}"

    def ended(self) -> bool:
        """See `Handle`."""
        return self._process.exitcode is not None

    def kill(self) -> None:
        """See `Handle`."""
        self._process.kill()
        self._process.join(_JOIN_SECONDS)


def _run(target: Callable[..., None], arguments: tuple) -> None:
    """The process: ends with its parent; with status 2 and a line for what the user can mend."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()
    with contextlib.suppress(OSError):  # what `top` and `ps -o comm` show; Linux only
        Path("/proc/self/comm").write_text(multiprocessing.current_process().name)
    for number in NUMBERS:  # they are for the parent, which ends this one
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, NUMBERS)  # see ProcessHandle
    jax.config.update("jax_platforms", "cpu")  # devices are the learner's
    try:
        target(*arguments)
    except UserError as error:
        name = multiprocessing.current_process().name
        print(f"moravec: {name}: {error}", file=sys.stderr, flush=True)
        os._exit(2)
