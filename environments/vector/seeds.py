"""The seed of each of many worlds."""

import numpy as np


def world_seed(seed: int, world: int) -> int:
    """The seed of one of many worlds: 63 bits that follow from `seed` and its index alone.

    Worlds of one seed are independent of each other, and of those of another seed.
    """
    # A number takes as many words as it needs: the second word always is the world.
    words = seed & 0xFFFFFFFF, world, seed >> 32
    word = np.random.SeedSequence(words).generate_state(1, np.uint64)[0]
    return int(word >> np.uint64(1))
