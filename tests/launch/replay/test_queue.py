"""A queue in this process: every item comes once, in order, bit for bit; waits end in time."""

import itertools
import tempfile
import threading
import time
from contextlib import closing

import pytest

pytest.importorskip("reverb")

import reverb

from environments.errors import UserError
from launch.replay.errors import ItemsLost, ReplayTimeout
from launch.replay.sampler import ItemSampler
from launch.replay.server import ReplayServer
from launch.replay.tables import TABLE
from launch.replay.writer import ItemWriter
from tests.launch.replay.items import QUEUE, items, never, number, numbers, spec
from tests.launch.replay.servers import background, free_port


@pytest.fixture
def server():
    server = ReplayServer(QUEUE, spec(), capacity=8)
    yield server
    server.close()


@pytest.fixture
def address(server):
    return f"localhost:{server.port}"


@pytest.fixture
def writer(address):
    writer = ItemWriter(address, spec())
    yield writer
    writer.close()


@pytest.fixture
def open_sampler(address):
    opened = []

    def open_one(ahead=1):
        opened.append(ItemSampler(address, spec(), ahead=ahead))
        return opened[-1]

    yield open_one
    for sampler in opened:
        sampler.close()


def wait_until(condition, timeout=20.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_items_come_once_in_order_and_unchanged(server, writer, open_sampler, ahead):
    sampler = open_sampler(ahead)
    with background(
        lambda: [writer.write(items(*range(i, i + 4)), never) for i in range(0, 20, 4)]
    ) as (written, _):
        assert [number(sampler.read(20, 1)) for _ in range(20)] == list(range(20))
    assert written == [[True] * 5]
    assert (server.fill(), server.inserted(), server.sampled()) == (0, 20, 20)


@pytest.mark.parametrize("ahead", [1, 2, 3, 6])
def test_no_more_is_read_in_advance_than_was_asked_for(server, writer, open_sampler, ahead):
    sampler = open_sampler(ahead)
    assert writer.write(items(*range(8)), never)
    assert number(sampler.read(20, 1)) == 0
    wait_until(lambda: server.fill() <= (7 - ahead if ahead < 4 else 3))
    time.sleep(0.7)  # longer than a stream waits
    assert server.fill() >= 7 - ahead
    assert [number(sampler.read(20, 1)) for _ in range(7)] == list(range(1, 8))


def test_a_full_queue_holds_the_writer_back(server, writer, open_sampler):
    assert writer.write(items(*range(8)), never)
    with background(lambda: writer.write(items(8, 9), never)) as (written, _):
        wait_until(lambda: writer.waiting.startswith("for room in the replay at localhost:"))
        assert server.fill() == 8
        assert not written
        sampler = open_sampler()
        assert [number(sampler.read(20, 1)) for _ in range(10)] == list(range(10))
    assert written == [True]
    assert writer.waiting == ""


def test_a_writer_that_waits_can_be_stopped(server, writer, open_sampler):
    assert writer.write(items(*range(8)), never)
    stop = threading.Event()
    with background(lambda: writer.write(items(8, 9), stop.is_set)) as (written, thread):
        wait_until(lambda: writer.waiting)
        stop.set()
        begin = time.monotonic()
        thread.join(20)
        assert time.monotonic() - begin < 3
    assert written == [False]
    # What the server had been sent may come still, but once.
    sampler = open_sampler()
    with background(lambda: writer.write(items(10), never)) as (written, _):
        found = [number(sampler.read(20, 1))]
        while found[-1] != 10:
            found.append(number(sampler.read(20, 1)))
    assert written == [True]
    assert found in [[*range(8), *more, 10] for more in ([], [8], [8, 9])]


def test_reading_from_an_empty_queue_times_out(open_sampler, writer):
    sampler = open_sampler()
    begin = time.monotonic()
    with pytest.raises(ReplayTimeout, match=r"no item within 0.3 s: .* has none to give"):
        sampler.read(0.3, 1)
    assert time.monotonic() - begin >= 0.3
    assert writer.write(items(1), never)
    assert number(sampler.read(20, 1)) == 1


def test_without_a_server_reads_time_out_and_writers_wait():
    address = f"localhost:{free_port()}"
    sampler, writer = ItemSampler(address, spec(), ahead=1), ItemWriter(address, spec())
    with pytest.raises(ReplayTimeout, match=f"the replay at {address} does not answer"):
        sampler.read(0.2, 1)
    stop = threading.Event()
    with background(lambda: writer.write(items(0), stop.is_set)) as (written, _):
        wait_until(lambda: writer.waiting == f"for the replay at {address} to answer")
        stop.set()
    assert written == [False]
    begin = time.monotonic()
    sampler.close()
    assert time.monotonic() - begin < 5
    with pytest.raises(ValueError, match="closed"):
        sampler.read(1.0, 1)


def test_nothing_is_taken_after_closing(server, writer, open_sampler):
    sampler = open_sampler(ahead=4)
    assert writer.write(items(0), never)
    assert number(sampler.read(20, 1)) == 0
    begin = time.monotonic()
    sampler.close()
    assert time.monotonic() - begin < 5
    assert writer.write(items(*range(1, 9)), never)
    assert server.fill() == 8
    assert [number(open_sampler().read(20, 1))] == [1]


def test_a_server_started_again_in_this_process_is_found(server, address, writer, open_sampler):
    sampler = open_sampler()
    assert writer.write(items(0), never)
    assert number(sampler.read(20, 1)) == 0
    server.close()
    again = ReplayServer(QUEUE, spec(), capacity=8, port=server.port)
    # The old writer hears of the new server by itself, or gives up.
    arrived = writer.write(items(1), never)
    assert writer.write(items(2), never)
    found = [number(sampler.read(20, 1))]
    if found == [1]:
        found.append(number(sampler.read(20, 1)))
    assert found in ([[1, 2]] if arrived else [[1, 2], [2]])
    assert again.inserted() == len(found)
    again.close()
    again.close()


def test_a_server_of_other_items_in_its_place_is_not_written_to(server, writer):
    assert writer.write(items(0), never)
    server.close()
    with closing(ReplayServer(QUEUE, spec(width=5), capacity=8, port=server.port)) as other:
        time.sleep(1.1)  # sooner, no server can be another's successor
        with pytest.raises(UserError, match=r"core\[0\] is float32\[5\] there, float32\[3\]"):
            writer.write(items(1), never)
        assert (other.fill(), other.inserted()) == (0, 0)


def test_a_port_in_use_is_refused(server):
    with pytest.raises(UserError, match=rf"cannot listen on port {server.port} \(address already"):
        ReplayServer(QUEUE, spec(), capacity=8, port=server.port)


def test_items_of_another_spec_are_refused(server, address, writer):
    different = r"unroll.core\[0\] is float32\[3\] there, float32\[5\] here"
    other = ItemSampler(address, spec(width=5), ahead=1)
    with pytest.raises(UserError, match=different):
        other.read(20, 1)
    other.close()
    with pytest.raises(UserError, match=different):
        ItemWriter(address, spec(width=5)).write(items(0, width=5), never)
    with pytest.raises(ValueError, match=r"core\[0\] of 1 items is float32\[1, 5\], not "):
        writer.write(items(0, width=5), never)
    assert server.fill() == 0
    assert writer.write(items(0), never)


def test_many_items_at_once_are_written_without_a_warning(capfd):
    server = ReplayServer(QUEUE, spec(), capacity=300)
    address = f"localhost:{server.port}"
    writer, sampler = ItemWriter(address, spec()), ItemSampler(address, spec(), ahead=4)
    assert writer.write(items(*range(200)), never)
    assert server.inserted() == 200
    assert [number(sampler.read(20, 1)) for _ in range(200)] == list(range(200))
    for each in (sampler, writer, server):
        each.close()
    assert capfd.readouterr() == ("", "")


def test_a_queue_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    server = ReplayServer(QUEUE, spec(), capacity=8, checkpoints=tmp_path / "checkpoints")
    writer = ItemWriter(f"localhost:{server.port}", spec())
    assert writer.write(items(0), never)
    server.save()
    assert [path.name for path in tmp_path.rglob("*")] == ["temporary"]
    writer.close()
    server.close()
    assert [path.name for path in tmp_path.rglob("*")] == ["temporary"]


def test_blocks_come_in_order_however_they_are_written_and_read(server, address, writer):
    sampler = ItemSampler(address, spec(), ahead=32, together=8)
    ends = [0, 3, 4, 8, 16, 21, 40]
    with background(
        lambda: [writer.write(items(*range(*pair)), never) for pair in itertools.pairwise(ends)]
    ) as (written, _):
        found, sizes = [], []
        for most in itertools.cycle([1, 8, 3]):
            found += numbers(sampler.read(20, most))
            sizes.append(most)
            if len(found) == ends[-1]:
                break
    assert written == [[True] * 6]
    assert found == list(range(40))
    assert len(sizes) > 40 / 8
    sampler.close()


def test_a_block_that_does_not_fill_is_given_after_half_a_second(writer, address):
    sampler = ItemSampler(address, spec(), ahead=32, together=8)
    assert writer.write(items(*range(5)), never)
    begin = time.monotonic()
    assert numbers(sampler.read(20, 8)) == [0, 1, 2, 3, 4]
    assert time.monotonic() - begin < 5
    assert writer.write(items(5, 6), never)  # the next block begins with them
    assert writer.write(items(*range(7, 13)), never)
    found = []
    while len(found) < 8:
        found += numbers(sampler.read(20, 8))
    assert found == list(range(5, 13))
    sampler.close()


@pytest.mark.parametrize(("ahead", "together"), [(4, 8), (9, 3)])
def test_no_more_than_asked_for_is_read_in_blocks_either(ahead, together):
    server = ReplayServer(QUEUE, spec(), capacity=64)
    address = f"localhost:{server.port}"
    writer, sampler = ItemWriter(address, spec()), None
    assert writer.write(items(*range(64)), never)
    sampler = ItemSampler(address, spec(), ahead=ahead, together=together)
    given = 0
    for most in (1, together):
        given += len(numbers(sampler.read(20, most)))
        time.sleep(0.7)  # longer than a stream waits
        assert 0 < server.sampled() - given <= ahead
    for each in (sampler, writer, server):
        each.close()


def test_closing_does_not_wait_for_a_block_to_fill(server, address, writer):
    sampler = ItemSampler(address, spec(), ahead=32, together=8)
    wait_until(lambda: writer.write(items(0), never))
    wait_until(lambda: server.fill() == 0)
    begin = time.monotonic()
    sampler.close()
    assert time.monotonic() - begin < 3


def test_items_that_never_come_are_told_of_once(address, writer, open_sampler):
    sampler = open_sampler()
    assert writer.write(items(0), never)
    assert numbers(sampler.read(20, 1)) == [0]
    assert not lost(sampler)
    # As Reverb loses one: the table has given it, and it did not come here.
    with background(lambda: list(reverb.Client(address).sample(TABLE, 1))) as (_, thief):
        told, number_ = False, 1
        while thief.is_alive() or not told:
            assert writer.write(items(number_), never)
            told = lost(sampler) or told
            number_ += 1
    assert told
    assert not lost(sampler)
    assert writer.write(items(100), never)
    assert numbers(sampler.read(20, 1)) == [100]


def lost(sampler) -> bool:
    """Reads all there is; whether something was lost before that."""
    try:
        while True:
            sampler.read(1, 1)
    except ItemsLost:
        return True
    except ReplayTimeout:
        return False
