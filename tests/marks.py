"""How long tests take, where it depends on their parameters."""

from collections.abc import Iterable

import pytest


def first_slow(values: Iterable) -> list:
    """Parameters of a slow test, of which only the first is a part of every check."""
    marks = [pytest.mark.slow]
    found = []
    for value in values:
        found.append(pytest.param(value, marks=marks))
        marks = [pytest.mark.soak]
    return found
