"""The server of a replay: one table, its checkpoints, its counts.

It answers on loopback alone unless told otherwise. Reverb knows no passwords: where it answers
everywhere, and strangers can reach the machine, its port belongs behind a firewall.
"""

import shutil
import tempfile
import threading
import uuid
from pathlib import Path

import reverb

from agents.base import OnPolicy, Replay
from environments.errors import UserError, reason
from launch.distributed.base import Item
from launch.platforms import probe_port
from launch.replay import checkpoints as saved
from launch.replay.loopback import shut_out
from launch.replay.quiet import quiet
from launch.replay.tables import TABLE, Given, table_of

_ANSWER = 30  # s to wait for the server in this process
_here: dict[
    int, object
] = {}  # of each port that this process serves, something of the server's own


def served_here(port: int) -> object | None:
    """What tells the server at `port` from the one before; None if it is another process's."""
    return _here.get(port)


class ReplayServer:
    """Serves items to any number of writers and samplers, in this process and others.

    Its methods may be called from any thread.
    """

    def __init__(
        self,
        data: OnPolicy | Replay | Given,
        spec: Item,
        *,
        capacity: int,
        port: int | None = None,
        everywhere: bool = False,
        checkpoints: Path | None = None,
    ):
        """Starts the server, with the items of the newest checkpoint if there is one.

        Args:
          data: what the agent asks for: a queue for `OnPolicy`, a uniform table for `Replay`; or
            that they are given.
          spec: of the items, as `item_spec` gives it.
          capacity: items that the table holds; it overrides that of `data`.
          port: to listen on; by default a free one.
          everywhere: answer on every interface of the machine, for parts on other ones.
          checkpoints: folder for `save`, and to start from; unused for a queue, whose items would
            be of a policy long gone. Nothing else is written anywhere.

        Raises:
          UserError: the port is in use, or the checkpoint is of other items.
        """
        self._lock = threading.Lock()
        self._folder = checkpoints if isinstance(data, Replay) else None
        table = table_of(data, spec, capacity)
        if port is not None:
            _check_free(port)
        if self._folder is None:
            root = _nowhere()
        else:
            root = saved.scratch(self._folder)
            saved.prepare(self._folder, root, table, spec)
        try:
            with quiet():
                checkpointer = reverb.checkpointers.DefaultCheckpointer(str(root))
                self._server = reverb.Server([table], port, checkpointer)
        except RuntimeError as error:
            raise UserError(f"cannot listen on port {port}: choose another one") from error
        self.port: int = self._server.port
        if not everywhere:
            shut_out(self.port)
        self._client = self._server.localhost_client()
        if self._folder is not None:
            saved.scratch(self._folder)  # what was loaded from there is in memory
        self._closed = False
        self._inserted = self._sampled = 0
        # Reverb goes on from the counts of the checkpoint, which may have been rewritten.
        self._inserted, self._sampled = self.inserted(), self.sampled()
        _here[self.port] = object()

    def fill(self) -> int:
        """Items in the table now."""
        return self._info().current_size

    def inserted(self) -> int:
        """Items written since the server was started; those of its checkpoint do not count."""
        return self._info().rate_limiter_info.insert_stats.completed - self._inserted

    def sampled(self) -> int:
        """Samples drawn since the server was started, those that samplers hold included."""
        return self._info().rate_limiter_info.sample_stats.completed - self._sampled

    def save(self) -> None:
        """Writes a checkpoint, of which the newest two are kept; nothing for a queue.

        Raises:
          UserError: it cannot be written (full disk); the earlier ones are untouched, and
            nothing of it is left.
        """
        if self._folder is None:
            return
        with self._lock, saved.writing(self._folder):
            with quiet():
                written = Path(self._client.checkpoint())
            saved.keep(self._folder, written)

    def close(self) -> None:
        """Ends the server; what was not saved is lost. Nothing happens the second time."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            del _here[self.port]
            with quiet():
                self._server.stop()
                # Its destructor must not run when Python is half gone.
                del self._server
            if self._folder is not None:
                shutil.rmtree(self._folder / ".reverb", ignore_errors=True)

    def _info(self):
        return self._client.server_info(_ANSWER)[TABLE]


def _nowhere() -> Path:
    """A folder that is not there, and never will be: Reverb would make a temporary one."""
    return Path(tempfile.gettempdir()) / f"moravec-{uuid.uuid4().hex}"


def _check_free(port: int) -> None:
    # gRPC lets two servers share a port without a word.
    try:
        probe_port(port)
    except OSError as error:
        raise UserError(
            f"cannot listen on port {port} ({reason(error)}): choose another one"
        ) from error
