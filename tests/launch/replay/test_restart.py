"""A server in another process: the same promises, and after SIGKILL it is started again."""

import logging

import pytest

pytest.importorskip("reverb")

from launch.replay.errors import ReplayTimeout
from launch.replay.sampler import ItemSampler
from launch.replay.writer import ItemWriter
from tests.launch.replay.items import QUEUE, items, never, number, spec, uniform
from tests.launch.replay.servers import background, process


def drain(sampler):
    """Numbers of all items that come until one fails to within 2 s."""
    found = []
    while True:
        try:
            found.append(number(sampler.read(2.0, 1)))
        except ReplayTimeout:
            return found


@pytest.mark.slow
def test_a_queue_in_another_process_killed_and_started_again(caplog):
    with process(QUEUE, spec(), capacity=4) as server:
        port = server.port()
        address = f"localhost:{port}"
        writer, sampler = ItemWriter(address, spec()), ItemSampler(address, spec(), ahead=2)
        with background(lambda: [writer.write(items(i, i + 1), never) for i in range(0, 20, 2)]):
            assert [number(sampler.read(20, 1)) for _ in range(20)] == list(range(20))
        assert writer.write(items(20, 21), never)
        assert number(sampler.read(20, 1)) == 20
        server.kill()
    assert drain(sampler) in ([], [21])
    with pytest.raises(ReplayTimeout, match="does not answer"):
        sampler.read(0.2, 1)
    with background(lambda: writer.write(items(22, 23), never)) as (written, _):
        pass  # notices that the server is gone, without waiting for the next
    assert written == [False]
    assert "items are dropped" in caplog.text
    with (
        background(lambda: writer.write(items(24, 25), never)) as (written, _),
        process(QUEUE, spec(), capacity=4, port=port) as server,
    ):
        assert server.port() == port
        assert [number(sampler.read(60, 1)) for _ in range(2)] == [24, 25]
        assert writer.write(items(26), never)
        assert drain(sampler) == [26]
        sampler.close()
        writer.close()
    assert written == [True]


@pytest.mark.slow
def test_a_replay_killed_and_started_again_has_what_was_saved(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    data = uniform(samples_per_insert=1.0, min_size=4, batch=50)
    options = {"capacity": 100, "checkpoints": tmp_path / "replay"}
    with process(data, spec(), **options) as server:
        port = server.port()
        address = f"localhost:{port}"
        writer, sampler = ItemWriter(address, spec()), ItemSampler(address, spec(), ahead=1)
        assert writer.write(items(*range(10)), never)
        assert {number(sampler.read(20, 1)) for _ in range(30)} <= set(range(10))
        assert server.save() == 10
        assert writer.write(items(10, 11), never)  # not saved
        server.kill()
    with process(data, spec(), port=port, **options) as server:
        assert server.port() == port
        assert server.save() == 10
        # The old writer hears of the new server by itself, or gives up.
        arrived = writer.write(items(12), never)
        assert writer.write(items(13), never)
        assert server.save() in ([12] if arrived else [11, 12])
        found = {number(sampler.read(60, 1)) for _ in range(60)}
        assert found <= {*range(10), 12, 13}
        assert len(found) > 5
        sampler.close()
        writer.close()
