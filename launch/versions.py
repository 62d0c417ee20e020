"""What a run was made with: packages, environments, git revision, devices."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

from environments import registry

_ROOT = Path(__file__).resolve().parents[1]


def collect() -> dict[str, Any]:
    """All versions as a JSON document. Starts JAX."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "devices": _devices(),
        "git": _git(),
        "environments": {entry.name: entry.version for entry in registry.entries().values()},
        "packages": _packages(),
    }


def _packages() -> dict[str, str]:
    """Every installed distribution, as any of them may change what a run does."""
    found = {
        distribution.metadata["Name"]: distribution.version
        for distribution in importlib.metadata.distributions()
    }
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _devices() -> list[dict[str, Any]]:
    import jax

    kinds = [(device.platform, device.device_kind) for device in jax.devices()]
    return [
        {"platform": name, "kind": kind, "count": kinds.count((name, kind))}
        for name, kind in dict.fromkeys(kinds)
    ]


def _git() -> dict[str, Any] | None:
    """Revision of the checkout that this file is in, and whether it has changes; None if none."""
    top = _git_output("rev-parse", "--show-toplevel")
    revision = _git_output("rev-parse", "HEAD")
    if top is None or revision is None or Path(top) != _ROOT:
        return None
    return {"revision": revision, "changed": bool(_git_output("status", "--porcelain"))}


def _git_output(*arguments: str) -> str | None:
    command = ["git", "-C", str(_ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
