"""Checks of an agent's configuration, which refuse a wrong value by the name of its option."""

import math
from typing import Any

from environments.errors import UserError


def at_least(config: Any, least: int, *names: str) -> None:
    """Raises UserError if one of these fields is below `least`."""
    for name in names:
        if getattr(config, name) < least:
            raise UserError(f"agent.{name} must be at least {least}, not {getattr(config, name)}")


def between(config: Any, low: float, high: float, *names: str) -> None:
    """Raises UserError if one of these fields is not within the bounds, or no number."""
    for name in names:
        value = getattr(config, name)
        if not low <= value <= high:
            raise UserError(f"agent.{name} must be between {low:g} and {high:g}, not {value:g}")


def above_zero(config: Any, *names: str) -> None:
    """Raises UserError if one of these fields is not a finite number above 0."""
    for name in names:
        value = getattr(config, name)
        if not 0 < value < math.inf:
            raise UserError(f"agent.{name} must be a number above 0, not {value}")
