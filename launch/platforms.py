"""What the machine has, and must have for a runner, asked before anything slow is begun."""

import importlib.util
import os
import socket
import sys

from environments.errors import UserError, reason

# What JAX calls them; actors need a CPU in any case.
_PLATFORMS = {"cpu": "cpu", "gpu": "cuda,cpu", "tpu": "tpu,cpu"}
# Variables that decide which devices JAX looks for.
_OF_DEVICES = ("JAX_PLATFORMS", "JAX_PLATFORM_NAME", "JAX_NUM_CPU_DEVICES")


def cores() -> int:
    """How many processor cores this process may use, which may be fewer than there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def require_reverb(kind: str) -> None:
    """Raises UserError if the runner's replay cannot run under this Python."""
    if importlib.util.find_spec("reverb") is None:
        python = ".".join(map(str, sys.version_info[:2]))
        raise UserError(
            f"runner.kind={kind} needs dm-reverb, which Python {python} does not have here: use "
            f"Python 3.11 on Linux, where `moravec doctor` says how to install it, or, for a "
            f"symbolic game, runner.kind=device"
        )


def require_ports(first: int, count: int) -> None:
    """Raises UserError if one of `count` ports from `first` on is taken; 0 asks for none."""
    for port in range(first, first + count) if first else ():
        try:
            probe_port(port)
        except OSError as error:
            raise UserError(
                f"runner.port={first}: port {port} cannot be listened on "
                f"({reason(error)}): give another, or 0 for a free one"
            ) from error


def probe_port(port: int) -> None:
    """Raises OSError if TCP `port` is taken at any address of this machine.

    One is enough: a replay server asks for all, IPv4 and IPv6, before it is kept to some.
    """
    both = socket.has_dualstack_ipv6()
    with socket.socket(socket.AF_INET6 if both else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        if both:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        probe.bind(("", port))


def prefer_platform(platform: str) -> None:
    """Has JAX look for devices of `platform`, and the CPU, when it looks; `default`: for any."""
    if platform != "default":
        import jax

        jax.config.update("jax_platforms", _PLATFORMS[platform])


def use_platform(platform: str) -> None:
    """Has JAX use `platform` alone, beside the CPU; `default`: what it prefers here.

    To be called before JAX has looked for devices. Raises UserError if there is no such device.
    """
    if platform == "default":
        if wrong := wrong_settings():
            raise UserError(wrong)
        return
    import jax

    before = jax.config.jax_platforms  # pyright: ignore[reportAttributeAccessIssue]
    prefer_platform(platform)
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


def wrong_settings(error: Exception | None = None) -> str:
    """The environment variables with which JAX cannot start here, and what to do.

    "" if it starts, and if it is not for such a variable that it does not.

    Args:
      error: what may have come of it already: JAX reads most of them once, when it is imported.
    """
    variables = {name: value for name, value in os.environ.items() if name.startswith("JAX_")}
    if not variables:
        return ""
    try:
        if isinstance(error, ValueError):
            raise error
        import jax
    except ValueError as refusal:
        text = str(refusal)
        named = [name for name in variables if name.lower() in text.lower()]
        return f"JAX refuses {_shown(named)} ({text}): correct or unset it" if named else ""
    except ImportError:
        return ""
    try:
        jax.devices()
    except Exception:
        named = [name for name in _OF_DEVICES if variables.get(name)]
        if named:
            return (
                f"JAX finds no devices with {_shown(named)}: unset it, or give cpu; an accelerator "
                f"needs its driver, and the extra of this project that is for it"
            )
    return ""


def _shown(variables: list[str]) -> str:
    return " ".join(f"{name}={os.environ[name]}" for name in variables)
