"""Seeds of many worlds."""

from environments.vector import world_seed


def test_seeds_are_reproducible():
    # Recorded: a changed formula would change every run.
    expected = [7896617691693857887, 2918264622725855778, 2530781778362038830]
    assert [world_seed(0, 0), world_seed(0, 1), world_seed(7, 3)] == expected


def test_no_two_worlds_share_a_seed():
    seeds = {world_seed(seed, world) for seed in range(100) for world in range(100)}
    assert len(seeds) == 10_000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**62


def test_long_seeds_have_worlds_of_their_own():
    assert world_seed(7 + (3 << 32), 0) != world_seed(7, 3)
    pairs = [(low + (high << 32), world) for low in (0, 7) for high in range(5) for world in (0, 3)]
    assert len({world_seed(*pair) for pair in pairs}) == len(pairs)
