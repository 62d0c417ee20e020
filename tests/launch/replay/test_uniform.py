"""A table to draw from again: how often, what goes first, what a checkpoint brings back."""

import errno
import os
import shutil

import jax
import pytest

pytest.importorskip("reverb")

from environments.errors import UserError
from launch.replay.errors import ReplayTimeout
from launch.replay.sampler import ItemSampler
from launch.replay.server import ReplayServer
from launch.replay.writer import ItemWriter
from tests.launch.replay.items import QUEUE, items, never, number, spec, uniform
from tests.launch.replay.servers import background

# Of so large a batch that neither side waits here.
DATA = uniform(min_size=1, samples_per_insert=1.0, batch=1000)


class Replayed:
    """A server in this process, and one writer and one sampler of it."""

    def __init__(self, data, capacity=100, checkpoints=None):
        self.server = ReplayServer(data, spec(), capacity=capacity, checkpoints=checkpoints)
        address = f"localhost:{self.server.port}"
        self.writer = ItemWriter(address, spec())
        self.sampler = ItemSampler(address, spec(), ahead=1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sampler.close()
        self.writer.close()
        self.server.close()

    def write(self, *numbers):
        """Writes items, all confirmed."""
        assert self.writer.write(items(*numbers), never)

    def read(self, count):
        """Numbers of items, sorted, each once."""
        return sorted({number(self.sampler.read(20, 1)) for _ in range(count)})

    def read_all(self):
        """How many samples come until one fails to within a second."""
        count = 0
        while True:
            try:
                self.sampler.read(1.0, 1)
            except ReplayTimeout:
                return count
            count += 1


def test_samples_wait_for_the_least_size():
    with Replayed(uniform(min_size=4)) as replay:
        replay.write(0, 1, 2)
        with pytest.raises(ReplayTimeout):
            replay.sampler.read(0.7, 1)
        replay.write(3)
        assert number(replay.sampler.read(20, 1)) < 4


@pytest.mark.parametrize("ratio", [0.5, 3.0])
def test_samples_keep_to_the_inserts(ratio):
    data = uniform(samples_per_insert=ratio, min_size=4, batch=2)
    error = 2 * max(2, ratio)
    with Replayed(data) as replay:
        replay.write(*range(4))
        # Counts begin at the least size: nothing is due for the items before it.
        assert replay.read_all() == int(error)
        with background(lambda: replay.write(*range(4, 24))):
            count = replay.read_all()
        assert count == pytest.approx(20 * ratio, abs=1)
        with background(
            lambda: replay.writer.write(items(*range(24, 64)), lambda: bool(replay.writer.waiting))
        ) as (written, _):
            pass
        assert written == [False]
        # From too many samples to too many inserts.
        more = replay.server.inserted() - 24
        assert 2 * error / ratio - 1 <= more <= (2 * error + 3) / ratio + 1  # 3: read in advance


def test_the_oldest_go_first():
    with Replayed(DATA, capacity=5) as replay:
        replay.write(*range(9))
        assert replay.server.fill() == 5
        assert replay.read(150)[-5:] == [4, 5, 6, 7, 8]
        assert replay.read(150) == [4, 5, 6, 7, 8]


def saved(folder, *counts):
    """A folder of checkpoints, each after so many items more."""
    with Replayed(DATA, checkpoints=folder) as replay:
        first = 0
        for count in counts:
            replay.write(*range(first, first + count))
            replay.server.save()
            first += count


def test_a_checkpoint_brings_items_and_counts_back(tmp_path):
    saved(tmp_path, 3, 2)
    with Replayed(DATA, checkpoints=tmp_path) as replay:
        assert replay.server.fill() == 5
        replay.write(5)
        assert replay.read(200) == [0, 1, 2, 3, 4, 5]


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    saved(tmp_path, 3)

    def refuse(*_):
        raise PermissionError(errno.EPERM, "operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with Replayed(DATA, checkpoints=tmp_path) as replay:
        assert replay.read(150) == [0, 1, 2]


def test_the_newest_two_are_kept(tmp_path):
    saved(tmp_path, 1, 1, 1, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3"]
    saved(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3", "4"]


def test_of_a_smaller_table_the_newest_are_kept(tmp_path):
    saved(tmp_path, 6)
    with Replayed(DATA, capacity=4, checkpoints=tmp_path) as replay:
        assert replay.server.fill() == 4
        assert replay.read(150) == [2, 3, 4, 5]
        replay.write(6, 7)
        assert replay.server.fill() == 4
        assert replay.read(150)[-4:] == [4, 5, 6, 7]


def test_a_larger_table_takes_more(tmp_path):
    with Replayed(DATA, capacity=3, checkpoints=tmp_path) as replay:
        replay.write(*range(5))
        replay.server.save()
    with Replayed(DATA, capacity=6, checkpoints=tmp_path) as replay:
        replay.write(5, 6, 7)
        assert replay.server.fill() == 6
        replay.write(8)
        assert replay.server.fill() == 6


@pytest.mark.parametrize("ratio", [0.5, 4.0])
def test_another_ratio_stops_neither_samples_nor_inserts(tmp_path, ratio):
    """With the saved counts, 20 inserts and 40 samples, or the saved limits, one of them would."""
    before = uniform(min_size=2, samples_per_insert=2.0)
    with Replayed(before, checkpoints=tmp_path) as replay:
        for first in range(0, 20, 2):
            replay.write(first, first + 1)
            replay.read(4)
        replay.server.save()
    after = uniform(min_size=2, samples_per_insert=ratio)
    with Replayed(after, checkpoints=tmp_path) as replay:
        assert replay.server.fill() == 20
        replay.write(20)
        assert number(replay.sampler.read(5, 1)) <= 20
        replay.write(21)
        assert replay.read_all() >= 1


@pytest.mark.parametrize("file", ["chunks.tfrecord", "items.tfrecord", "DONE", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "removed"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, caplog, file, damage):
    saved(tmp_path, 3, 2)
    path = tmp_path / "1" / file
    content = path.read_bytes()
    if damage == "removed":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[:-1] if content else b"1")
    else:
        path.write_bytes(
            content[:7] + bytes([255 - (content or b"1")[7 % (len(content) or 1)]]) + content[8:]
        )
    with Replayed(DATA, checkpoints=tmp_path) as replay:
        assert replay.server.fill() == 3
        assert replay.read(100) == [0, 1, 2]
    assert f"replay checkpoint {tmp_path / '1'} is damaged" in caplog.text
    assert ": using the one before" in caplog.text


def test_what_a_killed_save_left_is_ignored(tmp_path):
    saved(tmp_path, 3)
    left = tmp_path / ".reverb" / "2026-01-01T00:00:00+00:00"
    shutil.copytree(tmp_path / "0", left)
    with Replayed(DATA, checkpoints=tmp_path) as replay:
        assert replay.server.fill() == 3
        assert not left.exists()


def test_a_checkpoint_of_other_items_is_refused(tmp_path):
    saved(tmp_path, 3)
    with pytest.raises(UserError, match=r"float32\[3\] there, float32\[5\] here"):
        ReplayServer(DATA, spec(width=5), capacity=100, checkpoints=tmp_path)


def test_a_queue_is_not_saved(tmp_path):
    with Replayed(QUEUE, checkpoints=tmp_path / "none") as replay:
        replay.write(0)
        replay.server.save()
    assert not (tmp_path / "none").exists()


def test_counts_begin_anew_with_every_server(tmp_path):
    with Replayed(DATA, checkpoints=tmp_path) as replay:
        replay.write(*range(3))
        replay.read(4)
        assert replay.server.inserted() == 3
        assert replay.server.sampled() >= 4
        replay.server.save()
    with Replayed(DATA, checkpoints=tmp_path) as replay:
        assert (replay.server.inserted(), replay.server.sampled()) == (0, 0)
        replay.write(3)
        assert (replay.server.fill(), replay.server.inserted()) == (4, 1)


def test_what_was_read_cannot_be_changed():
    with Replayed(DATA) as replay:
        replay.write(0)
        leaves = jax.tree.leaves(replay.sampler.read(20, 1))
        assert not any(leaf.flags.writeable for leaf in leaves)


def test_saving_while_writers_and_samplers_are_busy(tmp_path):
    # One insert allows one sample, so that each side waits for the other again and again.
    data = uniform(min_size=1, samples_per_insert=1.0, batch=1)
    with Replayed(data, checkpoints=tmp_path) as replay:
        with (
            background(lambda: [replay.write(i, i + 1) for i in range(0, 400, 2)]) as (written, _),
            background(lambda: [replay.sampler.read(20, 1) for _ in range(400)]) as (found, _),
        ):
            for _ in range(5):
                replay.server.save()
        assert len(written) == len(found) == 1
        replay.server.save()
    with Replayed(data, capacity=500, checkpoints=tmp_path) as replay:
        assert replay.server.fill() == 100


def test_saving_while_a_writer_is_held_back(tmp_path):
    data = uniform(min_size=1, samples_per_insert=1.0, batch=1)
    with Replayed(data, checkpoints=tmp_path) as replay:
        with background(
            lambda: replay.writer.write(items(*range(20)), lambda: bool(replay.writer.waiting))
        ) as (written, _):
            replay.server.save()
        assert written == [False]
        replay.server.save()
