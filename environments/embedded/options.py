"""What an embedded game is asked to show, checked; loads no MuJoCo."""

from typing import Any

from environments.errors import UserError, unknown

_MAX_PIXELS = 1024  # a side of a camera's picture


def check_shown(options: Any, kinds: tuple[str, ...], cameras: tuple[str, ...]) -> None:
    """Raises UserError if there is nothing to observe, or something that there is not.

    Args:
      options: of an embedded game, with `observations` and `public_names`.
      kinds: what `observations` may name.
      cameras: the options that are the size of a picture in pixels, 0 0 for none.
    """
    sizes = {name: getattr(options, name) for name in cameras}
    if not (options.observations or options.public_names or any(map(any, sizes.values()))):
        raise UserError(
            f"observations must name at least one of {', '.join(kinds)}, unless there is a camera"
        )
    for kind in options.observations:
        if kind not in kinds:
            raise unknown("observation kind", kind, kinds)
    for name, size in sizes.items():
        if size != (0, 0) and not all(1 <= side <= _MAX_PIXELS for side in size):
            raise UserError(
                f"{name} must be two sizes in 1 to {_MAX_PIXELS}, or 0 0, not {size[0]} {size[1]}"
            )
