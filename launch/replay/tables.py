"""The table of a replay: a queue for data taken once, a uniform table for data drawn again."""

from dataclasses import dataclass, replace

import reverb

from agents.base import OnPolicy, Replay
from launch.distributed.base import Item
from launch.replay.columns import signature

TABLE = "items"


@dataclass(frozen=True)
class Given:
    """Data written once, before any is drawn, and drawn uniformly as often as anyone likes."""


def table_of(data: OnPolicy | Replay | Given, spec: Item, capacity: int) -> reverb.Table:
    """The table for `data`, of at most `capacity` items."""
    if isinstance(data, OnPolicy):
        return queue_table(spec, capacity)
    if isinstance(data, Replay):
        return uniform_table(spec, replace(data, capacity=capacity))
    return reverb.Table(
        TABLE,
        sampler=reverb.selectors.Uniform(),
        remover=reverb.selectors.Fifo(),
        max_size=capacity,
        rate_limiter=reverb.rate_limiters.MinSize(1),
        signature=signature(spec),
    )


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
