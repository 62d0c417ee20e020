"""The benchmark of hinted actors really runs, on little work."""

from launch.distributed.benchmark import EXPERIMENTS, Size, hinted


def test_physics_is_a_part_of_what_an_actor_does():
    found = hinted(Size(unrolls=1, traced=1, rounds=1))
    assert len(found) == 2 * len(EXPERIMENTS)
    for each in found:
        assert each.ratio is not None
        # What is timed within a step is a part of it; the bare loop is timed by itself, with noise.
        assert 0 < each.ratio < (1 if "physics" in each.metric else 3)
