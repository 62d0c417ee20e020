"""Seeds of an actor, from the run's seed, its number, and how often it was replaced."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ActorSeeds:
    """What is random in an actor."""

    environment: int
    policy: int  # below 2^32, as JAX's keys take


def actor_seeds(seed: int, actor: int, incarnation: int) -> ActorSeeds:
    """Independent of each other for different arguments."""
    words = np.random.SeedSequence([seed, actor, incarnation]).generate_state(2, np.uint32)
    return ActorSeeds(environment=int(words[0]), policy=int(words[1]))
