"""Reads items from a replay, a few of them in advance.

The iterator of a `TrajectoryDataset` is asked by raw operations, which takes a quarter of the time
of its Python iterator. Reverb's C++ sampler without TensorFlow would be faster still. But that one
cannot be told to stop waiting: it waits for ever once its server has gone, and takes items from a
queue after those who asked have gone.

A stream asks for samples in requests of a set number, and makes the next request when all of the
last one are ready to be taken: so that number bounds what it holds. They are taken in blocks of
several, since a call of TensorFlow and a change of threads take longer than a copy of an item.

A stream ends when the table has had nothing to give for half a second. Items that are written at
that very moment may be lost, up to a request's worth: the table counts them as sampled, but they do
not come (seen twice in some 380 bursts, most of them written half a second after the one before).
So before the next stream begins, the table's count is compared with what came, and whoever reads
is told of the difference, since nothing would be written as long as those items are waited for.

Shape letter: `N` items.
"""

import logging
import threading
import time
from collections import deque
from typing import Any

import numpy as np
import reverb
import tensorflow as tf

from environments.errors import UserError
from launch.distributed.base import Item, count, rows
from launch.replay.columns import Layout, check_columns, incarnation
from launch.replay.connection import find_table, listening
from launch.replay.errors import ItemsLost, ReplayTimeout
from launch.replay.quiet import quiet
from launch.replay.server import served_here
from launch.replay.tables import TABLE

_POLL = 0.5  # s
_JOIN = 4.0  # s
_INFO = 5  # columns of every sample before the block of the item
_log = logging.getLogger(__name__)


class ItemSampler:
    """Items, a few at a time: of a queue in the order written, else drawn uniformly.

    It outlives its server: when one answers again at the address, reading goes on there. One
    thread may read, any may close.
    """

    def __init__(self, address: str, spec: Item, *, ahead: int, together: int = 1):
        """Begins to read, or to wait for the server.

        Args:
          address: of the server, `host:port`.
          spec: of the items.
          ahead: items taken from the table beyond those that `read` has given, at most; at least
            1, which is the lowest that Reverb can do. After a `read` that timed out there may be
            one more.
          together: items that come to the table, or are asked for, together. If `ahead` allows they
            are taken in blocks, into which this number can be divided. One that does not fill is
            given half a second after its last item.
        """
        if ahead < 1:
            raise ValueError(f"ahead must be at least 1, not {ahead}")
        self._address = address
        self._port = int(address.rpartition(":")[2])
        self._spec = spec
        self._layout = Layout(spec)
        # Half of them wait here, half in the stream.
        self._in_stream = (ahead + 1) // 2
        self._at_hand = ahead - self._in_stream
        self._block = _divisor(together, self._at_hand // 2)
        self._items: deque[Item] = deque()  # blocks, or what is left of them
        self._held = 0  # items in them
        self._accounted = "", 0  # the table's incarnation, and its samples that came or were lost
        self._lost = 0  # samples that never came, and nobody was told of
        self._change = threading.Condition()
        self._reading = False
        self._closed = False
        self._error: UserError | None = None
        self._here: object | None = None  # of the server read from, if it is this process's
        self._begin()

    def read(self, timeout: float, most: int) -> Item:
        """The next items, 1 to `most`: NumPy arrays `[N, ...]`, read-only views of one block.

        Raises:
          ReplayTimeout: none came within `timeout` seconds: the replay holds samples back (it is
            empty, or inserts must come first), or does not answer. ItemsLost, which is one, if
            besides some were lost on their way; each is told of once.
          UserError: the server holds items of another spec.
          ValueError: it was closed.
        """
        deadline = time.monotonic() + timeout
        with self._change:
            self._reading = True
            self._change.notify_all()
            try:
                while not self._items:
                    if self._closed:
                        raise ValueError("read from a sampler that was closed")
                    if self._error is not None:
                        raise self._error
                    left = deadline - time.monotonic()
                    if left <= 0:
                        break
                    if not self._change.wait(min(left, _POLL)):
                        self._leave_dead_server()
                else:
                    return self._take(most)
            finally:
                self._reading = False
            lost, self._lost = self._lost, 0
        if lost:
            raise ItemsLost(f"{lost} items were lost on their way from {self._address}")
        raise ReplayTimeout(f"no item within {timeout:g} s: {self._reason()}")

    def _take(self, most: int) -> Item:
        items = self._items.popleft()
        if count(items) > most:
            self._items.appendleft(rows(items, slice(most, None)))
            items = rows(items, slice(most))
        self._held -= count(items)
        self._change.notify_all()
        return items

    def close(self) -> None:
        """Ends reading; what was read in advance is lost, `ahead` items at most.

        Returns half a second after the last item, or after 4 s if the server is gone.
        """
        with self._change:
            self._closed = True
            self._items.clear()
            self._change.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(_JOIN)

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._run, name="replay sampler", daemon=True)
        self._thread.start()

    def _leave_dead_server(self) -> None:
        # A stream from another process finds the next server by itself. One within this process
        # goes straight to the table, and once that is dead it never ends.
        if self._here is not None and served_here(self._port) is not self._here:
            self._here = None
            self._begin()

    def _ended(self) -> bool:
        return self._closed or threading.current_thread() is not self._thread

    def _reason(self) -> str:
        if listening(self._address):
            return f"the replay at {self._address} has none to give (empty, or held back)"
        return f"the replay at {self._address} does not answer"

    def _run(self) -> None:
        client = reverb.Client(self._address)
        while not self._ended():
            here = served_here(self._port)
            found = find_table(client)
            if found is None:
                time.sleep(_POLL / 5)
                continue
            try:
                check_columns(self._spec, found.signature, f"the replay at {self._address}")
                self._compare(found)
                stream = Stream(self._address, self._layout.total, self._in_stream, self._block)
                self._here = here
                self._pass_on(stream)
            except UserError as error:
                with self._change:
                    self._error = error
                    self._change.notify_all()
                return
            except (tf.errors.OpError, RuntimeError) as error:
                _log.warning("the replay at %s: %s", self._address, str(error).partition("\n")[0])
                time.sleep(_POLL)

    def _compare(self, table: Any) -> None:
        """Finds what was lost; while there is no stream."""
        known, accounted = self._accounted
        server, samples = (
            incarnation(table.signature), table.rate_limiter_info.sample_stats.completed
        )  # fmt: skip
        if server == known and samples > accounted:
            _log.warning("%d items from %s were lost", samples - accounted, self._address)
            with self._change:
                self._lost += samples - accounted
        self._accounted = server, samples

    def _pass_on(self, stream: "Stream") -> None:
        """Until the stream ends, as it does when it has none to give for half a second."""

        def wanted() -> bool:
            waits = self._reading and not self._items
            return self._ended() or waits or self._held + self._block <= self._at_hand

        while True:
            with self._change:
                self._change.wait_for(wanted)
                if self._ended():
                    return
            blocks = stream.next()
            if blocks is None:
                return
            items = self._layout.unpack(blocks)
            server, accounted = self._accounted
            self._accounted = server, accounted + count(items)
            with self._change:
                if self._closed:
                    return
                self._items.append(items)
                self._held += count(items)
                self._change.notify_all()


def _divisor(number: int, most: int) -> int:
    """The largest up to `most` that divides a number; at least 1."""
    return max((each for each in range(1, most + 1) if number % each == 0), default=1)


class Stream:
    """Samples of one TensorFlow iterator, by raw operations, a block of them at a time."""

    def __init__(self, address: str, total: int, in_flight: int, block: int):
        dataset = reverb.TrajectoryDataset(
            address,
            TABLE,
            dtypes=[tf.uint8],
            shapes=[tf.TensorShape([total])],
            max_in_flight_samples_per_worker=in_flight,
            num_workers_per_iterator=1,  # more would change the order
            rate_limiter_timeout_ms=int(1000 * _POLL),
        ).batch(block)
        options = tf.data.Options()
        # Nothing that would read further ahead.
        options.autotune.enabled = False
        options.experimental_optimization.apply_default_optimizations = False
        options.threading.private_threadpool_size = 1
        specs = tf.nest.flatten(dataset.element_spec)
        self._types = [each.dtype for each in specs]
        self._shapes = [each.shape for each in specs]
        self._iterator = tf.raw_ops.AnonymousIteratorV3(
            output_types=self._types, output_shapes=self._shapes
        )
        variant = tf.data.experimental.to_variant(dataset.with_options(options))
        with quiet():
            tf.raw_ops.MakeIterator(dataset=variant, iterator=self._iterator)

    def next(self) -> np.ndarray | None:
        """The next samples, `[N, total]`; fewer than a block, and None after those, once the table
        has none to give for half a second."""
        try:
            found: Any = tf.raw_ops.IteratorGetNext(
                iterator=self._iterator, output_types=self._types, output_shapes=self._shapes
            )
        except tf.errors.OutOfRangeError:
            return None
        blocks = np.asarray(found[_INFO])  # the tensor's own memory
        blocks.flags.writeable = False  # TensorFlow leaves it open or not, as it likes
        return blocks
