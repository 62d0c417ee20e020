"""Checkpoints of a replay: Reverb's files under sums that are verified before they are loaded.

    <folder>/<number>/{tables,items,chunks}.tfrecord, DONE    as Reverb wrote them
    <folder>/<number>/manifest.json                           their sizes and sums, written last
    <folder>/.reverb/                                         where Reverb writes and loads

Reverb ends the process if a file lacks what another refers to, and it takes the configuration of
the table (capacity, selectors, rate limiter) from the checkpoint, so that an old one can stop all
inserts. So nothing damaged is given to it, and the table is rewritten to the present configuration.
A checkpoint is renamed into its place when it is whole.
"""

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import reverb
import tensorflow as tf
from reverb.cc import schema_pb2 as schema
from reverb.cc.checkpointing import checkpoint_pb2 as checkpointing
from tensorflow.python.saved_model import nested_structure_coder

from environments.errors import UserError
from launch import files, manifests
from launch.checkpoints import steps
from launch.distributed.base import Item
from launch.replay.columns import check_columns

KEEP = 2
_COMPRESSION = "ZLIB"  # of all of Reverb's files
# Made when they are imported, unseen by type checkers.
_PrioritizedItem: Any = schema.PrioritizedItem  # pyright: ignore
_TableInfo: Any = schema.TableInfo  # pyright: ignore
_TableCheckpoint: Any = checkpointing.PriorityTableCheckpoint  # pyright: ignore
_log = logging.getLogger(__name__)


def scratch(folder: Path) -> Path:
    """Where Reverb is to write and load; emptied."""
    path = folder / ".reverb"
    with files.writing(path):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    return path


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """For what Reverb writes to the scratch folder: nothing is left there if it fails.

    Raises:
      UserError: it cannot be written (full disk).
    """
    try:
        with files.writing(folder):
            try:
                yield
            except (IndexError, RuntimeError, tf.errors.OpError) as error:
                # IndexError: resources are exhausted
                raise _refused(folder, error) from error
    except BaseException:
        for path in (folder / ".reverb").glob("*"):
            shutil.rmtree(path, ignore_errors=True)
        raise


def _refused(folder: Path, error: Exception) -> Exception:
    """What the operating system refused, of which Reverb keeps the text: `<file>; <text>`."""
    reason = str(error).partition("\n")[0]
    for number in errno.errorcode:
        if reason.endswith(f"; {os.strerror(number)}"):
            return OSError(number, os.strerror(number))
    return UserError(f"cannot write a replay checkpoint to {folder}: {reason}")


def keep(folder: Path, written: Path) -> None:
    """Moves what Reverb has `written` into its place; removes all but the newest `KEEP`.

    Raises:
      UserError: the manifest cannot be written (full disk).
    """
    number = max(steps(folder), default=-1) + 1
    with files.writing(folder / str(number)):
        manifests.write(written)
        written.rename(folder / str(number))
        files.sync(folder)
    for old in steps(folder)[:-KEEP]:
        shutil.rmtree(folder / str(old), ignore_errors=True)


def prepare(folder: Path, root: Path, table: reverb.Table, spec: Item) -> None:
    """Puts the newest whole checkpoint where Reverb looks, under the configuration of `table`.

    Nothing is put there if there is none. Damaged ones are passed over with a warning; of more
    items than `table` may hold, the newest are kept.

    Args:
      folder: of the checkpoints.
      root: Reverb's own folder, as `scratch` gives it.
      table: the present configuration.
      spec: of the items.

    Raises:
      UserError: the checkpoint is of other items, or there is no room for what is written.
    """
    for number in reversed(steps(folder)):
        path = folder / str(number)
        try:
            manifests.verify(path, listed="DONE")
            (saved,) = _records(path / "tables.tfrecord")
            items = [_PrioritizedItem.FromString(r) for r in _records(path / "items.tfrecord")]
        except (OSError, ValueError, tf.errors.OpError) as error:
            _log.warning("replay checkpoint %s is damaged (%s): using the one before", path, error)
            continue
        break
    else:
        return
    checkpoint = _TableCheckpoint.FromString(saved)
    there: Any = nested_structure_coder.decode_proto(checkpoint.signature)
    check_columns(spec, there, f"replay checkpoint {path}")
    info = _TableInfo.FromString(table.internal_table.info())
    items.sort(key=lambda item: (item.inserted_at.seconds, item.inserted_at.nanos))
    dropped = max(0, len(items) - info.max_size)
    reconfigure(checkpoint, info, dropped)
    copy = root / "0"
    with files.writing(copy):
        copy.mkdir()
    files.link_or_copy(path / "chunks.tfrecord", copy / "chunks.tfrecord")
    with writing(folder):
        _write(copy / "tables.tfrecord", [checkpoint])
        _write(copy / "items.tfrecord", items[dropped:])
        (copy / "DONE").touch()


def reconfigure(saved: Any, table: Any, dropped: int) -> None:
    """Changes a PriorityTableCheckpoint to the configuration of a TableInfo.

    Args:
      saved: what is changed.
      table: the present configuration.
      dropped: how many items are left out.

    The counts of the rate limiter are kept if its settings are the same; else samples are counted
    as if they had always followed the present ones.
    """
    saved.max_size = table.max_size
    saved.max_times_sampled = table.max_times_sampled
    saved.sampler.CopyFrom(table.sampler_options)
    saved.remover.CopyFrom(table.remover_options)
    saved.signature.CopyFrom(table.signature)
    limiter, wanted = saved.rate_limiter, table.rate_limiter_info
    limiter.delete_count += dropped
    names = ("samples_per_insert", "min_diff", "max_diff", "min_size_to_sample")
    if all(getattr(limiter, name) == getattr(wanted, name) for name in names):
        return
    for name in names:
        setattr(limiter, name, getattr(wanted, name))
    middle = (wanted.min_diff + wanted.max_diff) / 2
    limiter.sample_count = max(0, round(limiter.insert_count * wanted.samples_per_insert - middle))


def _records(path: Path) -> Iterator[Any]:
    dataset = tf.data.TFRecordDataset(str(path), _COMPRESSION)
    return dataset.as_numpy_iterator()


def _write(path: Path, messages: list[Any]) -> None:
    with tf.io.TFRecordWriter(str(path), _COMPRESSION) as writer:
        for message in messages:
            writer.write(message.SerializeToString())
