"""The table of a replay: a queue for data taken once, a uniform table for data drawn again."""

import reverb

from agents.base import Replay
from launch.distributed.base import Item
from launch.replay.columns import signature

TABLE = "items"


def queue_table(spec: Item, capacity: int) -> reverb.Table:
    """First in, first out, each item taken once; a writer waits while there are `capacity`."""
    return reverb.Table.queue(TABLE, capacity, signature=signature(spec))


def uniform_table(spec: Item, data: Replay) -> reverb.Table:
    """Drawn uniformly, again and again; beyond the capacity the oldest goes.

    The counts of samples and inserts keep to `samples_per_insert` up to an error of two batches or
    two inserts' worth, whichever is more: a learner may take a batch while the items that it is due
    are being made, and an actor may write while a batch is being learnt from. Whichever runs
    further ahead waits. At any time at least one of the two may go on.
    """
    error = 2 * max(data.batch, data.samples_per_insert, 1.0)
    return reverb.Table(
        TABLE,
        sampler=reverb.selectors.Uniform(),
        remover=reverb.selectors.Fifo(),
        max_size=data.capacity,
        rate_limiter=reverb.rate_limiters.SampleToInsertRatio(
            samples_per_insert=data.samples_per_insert,
            min_size_to_sample=data.min_size,
            error_buffer=error,
        ),
        signature=signature(spec),
    )
