"""`moravec` and `python -m moravec`: the command line, from this folder's packages."""

import sys
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("environments", "agents", "experiments", "launch")


def _ours(package: str) -> bool:
    """Whether `import package` takes the one beside this, not a namesake earlier on the path."""
    spec = find_spec(package)
    return spec is not None and spec.origin == str(_ROOT / package / "__init__.py")


def main() -> int:
    """Runs the command in `sys.argv`; returns its exit status."""
    if not all(map(_ours, _PACKAGES)):
        sys.path.insert(0, str(_ROOT))  # processes that are spawned inherit the path
    from launch.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
