"""The benchmark of hinted actors really runs, on little work."""

import pytest

from launch.distributed.benchmark import EXPERIMENTS, Size, hinted


@pytest.mark.slow
def test_physics_is_a_part_of_what_an_actor_does():
    # The bare loop is timed by itself: of one world, in one round, noise may double it.
    found = hinted(Size(unrolls=1, traced=4, rounds=3))
    assert len(found) == 2 * len(EXPERIMENTS)
    for each in found:
        assert each.ratio is not None
        assert 0 < each.ratio < 1
