"""Manifests: the sizes and sums of a folder's files, written last and verified before any is read.

<folder>/manifest.json    {"<name>": {"bytes": .., "sha256": ".."}, ...}, of all other files
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from launch import files

_NAME = "manifest.json"


def write(folder: Path) -> None:
    """Writes the manifest of `folder`, once all that it lists is on the disk.

    Raises UserError, or OSError, if it cannot be written.
    """
    manifest = json.dumps(_sums(folder), indent=1)
    for path in folder.rglob("*"):
        files.sync(path)
    files.atomic_write(folder / _NAME, manifest)


def verify(folder: Path, listed: str) -> None:
    """Raises OSError or ValueError if any file of `folder` is not as it was written.

    Args:
      folder: with a manifest.
      listed: the name of a file that every manifest of this kind lists.
    """
    manifest = json.loads((folder / _NAME).read_text())
    if not isinstance(manifest, dict) or listed not in manifest:
        raise ValueError(f"{_NAME} is not a manifest")
    sums = _sums(folder)
    for name, expected in manifest.items():
        if sums.get(name) != expected:
            raise ValueError(f"{name} is {'changed' if name in sums else 'missing'}")


def _sums(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file below `folder` but its manifest."""
    sums = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file != folder / _NAME:
            with open(file, "rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            size = file.stat().st_size
            sums[file.relative_to(folder).as_posix()] = {"bytes": size, "sha256": digest}
    return sums
