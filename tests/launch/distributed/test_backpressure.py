"""A learner that is too slow holds actors back, and nothing piles up meanwhile."""

import time
from pathlib import Path

import pytest

from tests.launch.distributed.harness import running

pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(30, marks=pytest.mark.slow),
        pytest.param(300, marks=[pytest.mark.soak, pytest.mark.timeout(600)]),
    ],
)
def test_memory_is_flat_while_the_learner_is_slow(tmp_path, seconds):
    with running(tmp_path, actors=2, worlds=3, max_lag=1) as run:
        for _ in range(5):  # all is compiled, every buffer has been filled once
            run.batch()
            run.publish()
        before, end = resident_megabytes(), time.monotonic() + seconds
        rounds, sizes = 0, []
        run.link.take_report()
        while time.monotonic() < end:
            run.batch()
            time.sleep(0.5)
            run.publish()
            rounds += 1
            assert run.replay.items() <= run.plan.capacity
            sizes.append(resident_megabytes())
        report = run.link.take_report()
    # Frames, two of three steps of an episode at the least, of no more rounds than may be ahead.
    assert report.unrolls * 3 <= (rounds + 4) * run.plan.round_items
    assert report.frames > 2 * rounds * run.plan.round_items
    assert max(sizes) - before < 20
