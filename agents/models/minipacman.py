"""MiniPacman for models: what its frames show, and what a step may be worth."""

from itertools import product

from agents.models.frames import Frames, palette
from environments.games.minipacman.modes import MODES
from environments.games.minipacman.palette import CLASSES, GHOST_CLASSES, PALETTE


def pixel_frames() -> Frames:
    """One pixel a cell, `[B, H, W, 3] uint8`; ghosts and the player hide what is under them."""
    encode, decode = palette(PALETTE)
    return Frames("pixels", CLASSES, encode, decode, _rewards(), chance=GHOST_CLASSES)


def _rewards() -> tuple[float, ...]:
    """Of all that may happen in a step, in any mode: food, a pill, a ghost eaten, caught."""
    found = set()
    for mode in MODES.values():
        worths = (mode.food, mode.pill, mode.ghost, mode.caught)
        for happened in product((0, 1), repeat=len(worths)):
            events = sum(times * worth for times, worth in zip(happened, worths, strict=True))
            found.add(round(float(mode.step + events), 4))
    return tuple(sorted(found))
