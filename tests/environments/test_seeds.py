"""Seeds of opponents and experts."""

from environments.seeds import EXPERT, OPPONENT, seed_of


def test_seeds_are_reproducible():
    # Recorded: a changed formula would change every run.
    assert seed_of(OPPONENT, 0) == 2440950710608614359
    assert seed_of(EXPERT, 0) == 8226343694796210948
    assert seed_of(OPPONENT, 7) == 2021251017632032385
    assert seed_of(EXPERT, 7) == 8779501138110131270
