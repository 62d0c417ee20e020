"""No batch holds an item that is too old, with real actors and a real replay."""

import random
import threading
import time

import numpy as np
import pytest

from launch.distributed.batches import Staleness
from tests.launch.distributed.harness import running

pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")

ROUNDS = 25


def all_wait(run, actors: int) -> None:
    """Returns once no actor may begin more before the learner's next version."""
    waiting, end = f"waiting for weights after version {run.version},", time.monotonic() + 60
    while run.link.status().count(waiting) < actors:
        assert time.monotonic() < end, run.link.status()
        time.sleep(0.005)


def stalenesses(folder, *, learn_seconds: float, max_lag: int, actors: int, worlds: int):
    """What a learner sees that takes so long for a batch, and at last until all actors wait for
    it; and the items that it dropped."""
    rng = random.Random(0)
    found, dropped, seen = [], 0, set()
    with running(folder, max_lag=max_lag, actors=actors, worlds=worlds) as run:
        for round_ in range(ROUNDS + max_lag + 1):
            batch = run.batch()
            stamp = batch.stamp
            staleness = Staleness.of(stamp, run.version)
            found.append(staleness.versions)
            assert staleness.seconds.min() > 0
            dropped += batch.dropped
            rows = zip(stamp.actor, stamp.incarnation, stamp.world, stamp.number, strict=True)
            for row in rows:
                assert row not in seen, "an item was learnt from twice"
                seen.add(row)
            if round_ < ROUNDS:
                time.sleep(rng.uniform(0, 2 * learn_seconds))
            else:
                all_wait(run, actors)
            run.publish()
    return np.stack(found), dropped


@pytest.mark.parametrize("max_lag", [0, pytest.param(1, marks=pytest.mark.slow), 4])
@pytest.mark.parametrize(("actors", "worlds"), [(1, 6), (3, 2)])
def test_bound(tmp_path, max_lag, actors, worlds):
    versions, dropped = stalenesses(
        tmp_path, max_lag=max_lag, actors=actors, worlds=worlds, learn_seconds=0.02
    )
    assert versions.min() >= 0
    assert versions.max() == max_lag
    assert (versions[-1] == max_lag).all()  # actors that are faster than the learner use it up
    if actors == 1:
        assert dropped == 0


@pytest.mark.parametrize("max_lag", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_worlds_that_do_not_divide_the_batch(tmp_path, max_lag):
    versions, _ = stalenesses(tmp_path, max_lag=max_lag, actors=2, worlds=4, learn_seconds=0.01)
    assert 0 <= versions.min() <= versions.max() <= max_lag


def test_a_run_goes_on_after_items_were_lost_on_their_way(tmp_path):
    """Another takes items of the queue: as long as they are expected no actor may begin more."""
    import reverb

    from launch.replay.tables import TABLE

    with running(tmp_path, max_lag=0, actors=1, worlds=6) as run:
        run.batch()
        client = reverb.Client(run.replay.address)
        stolen = threading.Thread(target=lambda: list(client.sample(TABLE, 2)), daemon=True)
        stolen.start()
        while stolen.is_alive():
            run.publish()
            run.batch()
        for _ in range(3):
            run.publish()
            run.batch()
