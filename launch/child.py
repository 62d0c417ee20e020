"""The command line of a child process that runs `moravec`."""

import sys
from pathlib import Path

_MAIN = Path(__file__).resolve().parents[1] / "moravec" / "__main__.py"


def command(*args: object) -> list[str]:
    """`moravec ARGS` by this Python, which takes no module from the working directory."""
    return [sys.executable, "-P", str(_MAIN), *map(str, args)]
