"""Writes items to a replay, and says when they are confirmed.

Reverb's own writer does not recover once its server has gone: whoever writes on hears nothing of
it. So when items are not confirmed, the server is asked who it is, and a new writer is made for a
new server. Blocks go to the C++ writer directly: the public class would look up paths and keep a
history.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import reverb
from reverb import pybind as _pybind

from launch.distributed.base import Item, count, rows
from launch.replay.columns import Layout, check_columns, incarnation
from launch.replay.connection import find_signature
from launch.replay.tables import TABLE

_POLL = 0.5  # s
_SURE = 1.0  # s after an answer in which no server can have taken another's place
_SILENCE = 10.0  # s without an answer, after which a server counts as gone
_PORTION = 16  # items; Reverb warns of 50 that are not confirmed
pybind: Any = _pybind
_log = logging.getLogger(__name__)


class ItemWriter:
    """Writes items, one thread's; made before its server is up or after."""

    def __init__(self, address: str, spec: Item):
        """Connects at the first `write`.

        Args:
          address: of the server, `host:port`.
          spec: of the items.
        """
        self._address = address
        self._spec = spec
        self._layout = Layout(spec)
        self._blocks = np.zeros((_PORTION, self._layout.total), np.uint8)  # used again and again
        self._client = reverb.Client(address)
        self._writer: Any = None
        self._server = ""  # the incarnation that the writer writes to
        self._answered = 0.0  # when it was last heard of, on the monotonic clock
        self.waiting = ""  # what `write` waits for at this moment; empty if for nothing

    def write(self, items: Item, stop: Callable[[], bool]) -> bool:
        """Writes items in order; waits while the table holds writers back.

        Waits for a server that is not up yet. No item is ever written twice: what is not confirmed
        when `stop` is true or the server is lost is given up, though what the server has been sent
        may still be taken in. The next call then waits for the server.

        Args:
          items: NumPy arrays `[N, ...]` of the shapes and dtypes of the spec.
          stop: asked every half second while waiting, or, when a server is there but slow to
            answer, every two seconds.

        Returns:
          Whether all items are confirmed by the server.

        Raises:
          UserError: the server holds items of another spec.
          ValueError: they are not of the spec.
        """
        try:
            self._leave_replaced_server()
            if self._writer is None and not self._connect(stop):
                return False
            for first in range(0, count(items), _PORTION):
                # While a portion is being confirmed, the next one is on its way.
                if first and not self._confirm(stop, but=_PORTION):
                    return False
                self._append(rows(items, slice(first, first + _PORTION)))
            return self._confirm(stop)
        except BaseException:
            self.close()
            raise
        finally:
            self.waiting = ""

    def close(self) -> None:
        """Drops what is not confirmed; a later `write` connects anew."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.Close()

    def _connect(self, stop: Callable[[], bool]) -> bool:
        self.waiting = f"for the replay at {self._address} to answer"
        while (found := find_signature(self._client)) is None:
            if stop():
                return False
            time.sleep(_POLL / 5)
        check_columns(self._spec, found, f"the replay at {self._address}")
        self._server, self._answered = incarnation(found), time.monotonic()
        # A step is a chunk, and is forgotten when the next one comes. Reverb is not to ask for the
        # signature itself: if the server had gone since, it would wait for ever.
        options = pybind.ConstantChunkerOptions(max_chunk_length=1, num_keep_alive_refs=1)
        self._writer = pybind.Client(self._address).NewTrajectoryWriter(options, False)
        return True

    def _leave_replaced_server(self) -> None:
        # Reverb's writer would go on with a server that holds other items, and not look at it.
        if self._writer is not None and time.monotonic() - self._answered > _SURE:
            found = find_signature(self._client)
            if found is not None and incarnation(found) != self._server:
                self.close()

    def _append(self, items: Item) -> None:
        blocks = self._blocks[: count(items)]
        self._layout.pack(items, blocks)
        for block in blocks:  # the writer copies each
            (cell,) = self._writer.Append([block])
            self._writer.CreateItem(TABLE, 1.0, [[cell]], [True])

    def _confirm(self, stop: Callable[[], bool], but: int = 0) -> bool:
        """Waits until all items but that many are confirmed; whether they are."""
        answered = time.monotonic()
        while True:
            try:
                self._writer.Flush(but, int(1000 * _POLL))
                self._answered = time.monotonic()
                return True
            except RuntimeError as error:
                if "Timeout exceeded" not in str(error):
                    return self._lost(str(error).partition("\n")[0])
            if stop():
                self.close()
                return False
            found = find_signature(self._client)
            if found is not None:
                answered = time.monotonic()
                self.waiting = f"for room in the replay at {self._address}"
                if incarnation(found) != self._server:
                    return self._lost("it was started again")
            elif time.monotonic() - answered > _SILENCE:
                return self._lost(f"no answer for {_SILENCE:.0f} s")
            else:
                self.waiting = f"for the replay at {self._address} to answer"

    def _lost(self, reason: str) -> bool:
        _log.warning("lost the replay at %s (%s): items are dropped", self._address, reason)
        self.close()
        return False
