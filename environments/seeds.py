"""Seeds of who else is random in an environment: its opponent, its expert."""

import numpy as np

OPPONENT, EXPERT = 1, 2


def seed_of(who: int, seed: int) -> int:
    """The seed, 63 bits, of `OPPONENT` or `EXPERT` in the environment of seed `seed`.

    Not the environment's own: with the same numbers, how an episode begins would tell the
    opponent's next move.
    """
    word = np.random.SeedSequence(seed, spawn_key=(who,)).generate_state(1, np.uint64)[0]
    return int(word >> np.uint64(1))
