"""From actor to learner through the replay, against Reverb's own writers and sampler, bare.

Items are unrolls of DRC(3,3) on 10x10 boards, of random numbers. A thread writes batches of them
to a queue, which are read, stacked and put on the device. Beside it, on the same items, as Reverb
is meant to be used, a typed column for each leaf: its `TrajectoryWriter`, one step an item and
confirmed as often, and its `TrajectoryDataset`, in batches, with which ours is compared; and its
newer `StructuredWriter`, which is faster. None of these waits for another.

What is left to gain is small. On a busy machine with two cores an item takes 0.22 ms of CPU time
from actor to learner (0.26 through `TrajectoryWriter`), 0.29 (0.26) with the server in another
process. Of that packing takes 3 us, Reverb's two calls to write it 12, reading 6, unpacking 2,
stacking 3 and `device_put` 12: the rest is Reverb's own threads, mostly gRPC.
"""

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from agents.base import OnPolicy
from agents.drc.config import DRCConfig
from environments.errors import UserError
from environments.registry import load_batched
from experiments.benchmarks.base import Measurement
from experiments.benchmarks.timing import interleave
from launch.distributed.base import Item, count, item_spec, stack

LEVELS = "generated:size=10,boxes=4,count=1,seed=0"
BATCH = 32
_NAME = "replay"
_TIMEOUT = 60.0  # s


@dataclass(frozen=True)
class Size:
    """How much to measure."""

    batches: int = 20
    rounds: int = 9


def replay() -> list[Measurement]:
    """Items a second, the server in this process and in another."""
    return measure(Size())


def measure(size: Size) -> list[Measurement]:
    """As `replay`, of the given size. Raises UserError without Reverb."""
    try:
        import reverb  # noqa: F401  only whether it is there
    except ImportError as error:
        raise UserError(
            "the replay needs dm-reverb: run this under Python 3.11 on Linux"
        ) from error
    spec = drc_spec()
    items = [_random(spec, seed) for seed in range(BATCH)]
    found = []
    for where, served in (("this process", _here), ("another process", _elsewhere)):
        with served(spec) as (queue, bare), _programs(queue, bare, spec, items, size) as programs:
            times = interleave(_NAME, programs, size.rounds)
        rates = {name: size.batches * BATCH / timing.wall for name, timing in times.items()}
        found.append(
            Measurement(
                _NAME,
                f"server in {where}: actor to learner, against the slower of TrajectoryWriter "
                "and TrajectoryDataset",
                rates["actor to learner"],
                "items/s",
                min(rates["bare TrajectoryWriter"], rates["bare TrajectoryDataset"]),
            )
        )
        found += [
            Measurement(_NAME, f"server in {where}: {name}", rates[name], "items/s")
            for name in rates
            if name.startswith("bare")
        ]
    return found


def drc_spec() -> Item:
    """Of the items of DRC(3,3) on 10x10 boards."""
    config = DRCConfig()
    spec = load_batched("sokoban", levels=LEVELS).spec
    return item_spec(config.make(spec, 1), spec, config.unroll_length)


def _random(spec: Item, seed: int) -> Item:
    rng = np.random.default_rng(seed)

    def leaf(each: jax.ShapeDtypeStruct) -> np.ndarray:
        return np.asarray(rng.standard_normal(each.shape)).astype(each.dtype)

    return jax.tree.map(leaf, spec)


@contextmanager
def _programs(
    queue: str, bare: str, spec: Item, items: list[Item], size: Size
) -> Iterator[dict[str, Callable[[], None]]]:
    import reverb

    from launch.replay.sampler import ItemSampler
    from launch.replay.tables import TABLE
    from launch.replay.writer import ItemWriter

    writer = ItemWriter(queue, spec)
    sampler = ItemSampler(queue, spec, ahead=BATCH, together=BATCH)
    together: Item = jax.tree.map(lambda *leaves: np.stack(leaves), *items)  # as actors have them
    rows = [jax.tree.leaves(item) for item in items]
    bare_writer = reverb.Client(bare).trajectory_writer(num_keep_alive_refs=1)
    pattern = reverb.structured.pattern_from_transform(rows[0], lambda row: [x[-1] for x in row])
    config = reverb.structured.create_config(pattern, TABLE, [])
    structured_writer = reverb.Client(bare).structured_writer([config])
    batches: Any = reverb.TrajectoryDataset.from_table_signature(
        bare, TABLE, max_in_flight_samples_per_worker=2 * BATCH
    ).batch(BATCH)

    def write() -> None:
        for _ in range(size.batches):
            _put(writer, together)

    def through() -> None:
        actor = threading.Thread(target=write)
        actor.start()
        for _ in range(size.batches):
            jax.block_until_ready(jax.device_put(stack(_read(sampler))))
        actor.join()

    def write_bare() -> None:
        for _ in range(size.batches):
            for row in rows:
                bare_writer.append(row)
                history: Any = bare_writer.history
                bare_writer.create_item(TABLE, 1.0, [column[-1] for column in history])
            bare_writer.flush(timeout_ms=int(1000 * _TIMEOUT))

    def write_structured() -> None:
        for _ in range(size.batches):
            for row in rows:
                structured_writer.append(row)
            structured_writer.flush(timeout_ms=int(1000 * _TIMEOUT))

    def sample_bare() -> None:
        for _ in range(size.batches):
            for column in next(samples).data:
                np.asarray(column)

    try:
        write_bare()  # there is something to sample
        samples = iter(batches)
        yield {
            "actor to learner": through,
            "bare TrajectoryWriter": write_bare,
            "bare StructuredWriter": write_structured,
            "bare TrajectoryDataset": sample_bare,
        }
    finally:
        for each in (writer, sampler, bare_writer):
            each.close()


def _put(writer: Any, items: Item) -> None:
    if not writer.write(items, lambda: False):
        raise RuntimeError("the queue took nothing")


def _read(sampler: Any) -> list[Item]:
    parts, missing = [], BATCH
    while missing:
        parts.append(sampler.read(_TIMEOUT, missing))
        missing -= count(parts[-1])
    return parts


def _servers(spec: Item) -> list[Any]:
    """A queue of ours, and a bare table that never has anyone wait."""
    import reverb

    from launch.replay.loopback import shut_out
    from launch.replay.server import ReplayServer
    from launch.replay.tables import TABLE

    free = reverb.Table(
        TABLE,
        sampler=reverb.selectors.Uniform(),
        remover=reverb.selectors.Fifo(),
        max_size=8 * BATCH,
        rate_limiter=reverb.rate_limiters.MinSize(1),
        signature=_typed(spec),
    )
    queue = ReplayServer(OnPolicy(1, BATCH, 1), spec, capacity=2 * BATCH)
    bare = reverb.Server([free])
    shut_out(bare.port)
    return [queue, bare]


def _typed(spec: Item) -> Any:
    import tensorflow as tf

    leaves = jax.tree_util.tree_flatten_with_path(spec)[0]
    return [
        tf.TensorSpec(leaf.shape, leaf.dtype, jax.tree_util.keystr(path)) for path, leaf in leaves
    ]


@contextmanager
def _here(spec: Item) -> Iterator[list[str]]:
    servers = _servers(spec)
    try:
        yield [f"localhost:{server.port}" for server in servers]
    finally:
        servers[0].close()
        servers[1].stop()


@contextmanager
def _elsewhere(spec: Item) -> Iterator[list[str]]:
    context = multiprocessing.get_context("spawn")
    connection, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, spec), daemon=True)
    process.start()
    try:
        if not connection.poll(_TIMEOUT):
            raise TimeoutError(f"the replay servers did not start within {_TIMEOUT:.0f} s")
        yield [f"localhost:{port}" for port in connection.recv()]
    finally:
        process.kill()
        process.join()


def _serve(connection: Any, spec: Item) -> None:
    servers = _servers(spec)
    connection.send([server.port for server in servers])
    connection.poll(None)  # until the other end is gone
