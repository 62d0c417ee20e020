"""Deaths count only as long as there is no progress between them."""

from hypothesis import given
from hypothesis import strategies as st

from launch.distributed.deaths import LIMIT, Deaths


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40))
def test_hopeless_after_so_many_in_a_row_without_progress(steps):
    deaths, progress, row = Deaths(), 0, 0
    for step in steps:
        progress += step
        row = 1 if step else row + 1
        assert deaths.hopeless(progress) == (row >= LIMIT)


@given(st.integers(-1, 5))
def test_what_the_successor_begins_with_is_no_progress(version):
    """A learner publishes a version before it has learnt anything."""
    deaths = Deaths()
    for _ in range(LIMIT - 1):
        assert not deaths.hopeless(version, successor=version + 1)
        version += 1
    assert deaths.hopeless(version, successor=version + 1)
    assert not deaths.hopeless(version + 2, successor=version + 3)
