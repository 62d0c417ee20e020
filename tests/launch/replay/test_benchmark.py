"""The benchmark of the replay runs, on little work."""

import pytest

pytest.importorskip("reverb")

from launch.replay.benchmark import Size, measure


@pytest.mark.slow
def test_replay():
    found = measure(Size(batches=1, rounds=1))
    assert all(each.value > 0 for each in found)
    for ours, writer, _, sampler in (found[:4], found[4:]):
        assert ours.baseline == min(writer.value, sampler.value)
