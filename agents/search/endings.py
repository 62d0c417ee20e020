"""When an imagined game is over, told by its frame: environment models know no discount.

Shape letters: `B` batch, `H, W` board.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from environments.errors import UserError
from environments.games.sokoban.observations import YELLOW
from environments.games.sokoban.rules import PLANES


def sokoban_planes_solved(frame: jax.Array) -> jax.Array:
    """`[B] bool`: whether no box is off its target, in board planes `[B, H, W, 4]`."""
    target, box = (frame[..., PLANES.index(name)] for name in ("target", "box"))
    return ~jnp.any(box & ~target, axis=(1, 2))


def sokoban_pixels_solved(frame: jax.Array) -> jax.Array:
    """The same in `[B, H, W, 3] uint8`, where a box off its target has a colour of its own."""
    box = jnp.all(frame == jnp.array(YELLOW, jnp.uint8), axis=-1)
    return ~jnp.any(box, axis=(1, 2))


_ENDINGS = {
    ("sokoban", "planes"): sokoban_planes_solved,
    ("sokoban", "pixels"): sokoban_pixels_solved,
}


def ending(environment: str, key: str) -> Callable[[jax.Array], jax.Array]:
    """What tells, of frames of that game and kind, `[B, ...]`, which are ends: `[B] bool`.

    Raises UserError if nobody has said how that game ends.
    """
    if (environment, key) not in _ENDINGS:
        known = ", ".join(f"{kind} of {game}" for game, kind in _ENDINGS)
        raise UserError(f"search knows the ends of {known}; not of {key} of {environment}")
    return _ENDINGS[environment, key]
