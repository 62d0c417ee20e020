"""Random words and what is read from them: by arithmetic alone, for numbers and arrays alike.

A step of the game consumes `NUM_WORDS` uniform words of 32 bits, whether it needs them or not:
two for each ghost, then those that place everything when a level begins. Both faces of the game
read the same from the same words, whatever generator these come from.
"""

from typing import Any

Word = Any  # an int below 2^32, or an array of uint32

MAX_GHOSTS = 5
GHOST_WORDS = 2  # whether it moves; whether it strays, and where to
PLACES = 3  # words for the player and two power pills, before those of the ghosts
NUM_PLACE_WORDS = PLACES + MAX_GHOSTS
NUM_WORDS = GHOST_WORDS * MAX_GHOSTS + NUM_PLACE_WORDS


def index(word: Word, count: Any) -> Word:
    """A number below `count`, at most 255; uniform up to one part in 2^16."""
    return ((word >> 8) * count) >> 24


def moves(word: Word, tenths: Any, powered: Any) -> Any:
    """True with probability `tenths` / 10, or half of it if `powered`, 0 or 1."""
    return (word >> 8) * (10 + 10 * powered) < tenths << 24


def strays(word: Word) -> Any:
    """True with probability 1 / 20."""
    return (word >> 8) * 20 < 1 << 24


def stray_index(word: Word, count: Any) -> Word:
    """A number below `count`, at most 4, from bits that `strays` does not look at."""
    return ((word & 255) * count) >> 8
