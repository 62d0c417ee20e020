"""A replay server in a process of its own, to be killed and started again."""

import multiprocessing
import socket
import threading
from contextlib import contextmanager
from pathlib import Path

TIMEOUT = 120.0  # s for a process to import everything and serve


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def serve(connection, data, spec, capacity, port, checkpoints) -> None:
    """Serves until the other end closes; saves when told to."""
    from launch.replay.server import ReplayServer

    server = ReplayServer(data, spec, capacity=capacity, port=port, checkpoints=checkpoints)
    connection.send(server.port)
    while True:
        try:
            connection.recv()
        except EOFError:
            return
        server.save()
        connection.send(server.fill())


class Process:
    """A spawned server."""

    def __init__(self, data, spec, *, capacity=100, port=None, checkpoints: Path | None = None):
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        arguments = (theirs, data, spec, capacity, port, checkpoints)
        self._process = context.Process(target=serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def port(self) -> int:
        """Waits until it serves."""
        return self._answer()

    def save(self) -> int:
        """Has it save; how many items it holds."""
        self._connection.send(None)
        return self._answer()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.join(10)

    def _answer(self) -> int:
        assert self._connection.poll(TIMEOUT), "the server did not answer"
        return self._connection.recv()


@contextmanager
def process(*args, **kwargs):
    """A server for the length of a block."""
    server = Process(*args, **kwargs)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def background(function):
    """Calls `function` in a thread; gives the list that will hold what it returns."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()), daemon=True)
    thread.start()
    try:
        yield results, thread
    finally:
        thread.join(60)
        assert not thread.is_alive()
