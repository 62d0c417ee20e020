"""What the machine must have for a runner, asked before anything slow is begun."""

import importlib.util
import sys

from environments.errors import UserError

# What JAX calls them; actors need a CPU in any case.
_PLATFORMS = {"cpu": "cpu", "gpu": "cuda,cpu", "tpu": "tpu,cpu"}


def require_reverb(kind: str) -> None:
    """Raises UserError if the runner's replay cannot run under this Python."""
    if importlib.util.find_spec("reverb") is None:
        python = ".".join(map(str, sys.version_info[:2]))
        raise UserError(
            f"runner.kind={kind} needs dm-reverb, which Python {python} does not have here: use "
            f"Python 3.11 on Linux, or, for a symbolic game, runner.kind=device"
        )


def use_platform(platform: str) -> None:
    """Has JAX use `platform` alone, beside the CPU; nothing happens if it is `default`.

    To be called before JAX has looked for devices. Raises UserError if there is no such device.
    """
    if platform == "default":
        return
    import jax

    before = jax.config.jax_platforms  # type: ignore[attr-defined]
    jax.config.update("jax_platforms", _PLATFORMS[platform])
    try:
        found = jax.devices()[0].platform
    except RuntimeError:
        found = ""
    if found != platform:
        jax.config.update("jax_platforms", before)
        raise UserError(
            f"runner.platform={platform}, but JAX finds no such device here: install its driver "
            f"and the extra of this project that is for it, or give cpu"
        )
