"""Which files a path stands for as a level source, and whether they are still the same."""

import hashlib
import os
from pathlib import Path

from environments.errors import UserError, reason

PACKED = ".levels"
SUFFIXES = (".txt", ".xsb", ".sok", ".slc", PACKED)


def path_of(source: str) -> Path | None:
    """The file or folder that a level source names; None if it names none that exists."""
    kind, colon, _ = source.partition(":")
    if not source or "\n" in source or (colon and kind in ("boxoban", "generated")):
        return None
    path = os.path.expanduser(source)
    return Path(path) if os.path.exists(path) else None


def absolute(source: str) -> str:
    """The same source, wherever it is read from: a path is made absolute."""
    path = path_of(source)
    return source if path is None else os.path.abspath(path)


def level_files(path: Path) -> list[Path]:
    """A file itself; the level files of a folder and of those within it, in the order of names.

    By their suffix, in capitals or not; hidden ones are no level files.
    """
    if not path.is_dir():
        return [path]
    files, seen = [], set()
    for folder, folders, names in os.walk(path, onerror=_refuse, followlinks=True):
        real = os.path.realpath(folder)
        folders[:] = [] if real in seen else [name for name in folders if name[0] != "."]
        if real not in seen:
            files += [Path(folder, name) for name in names if name[0] != "."]
        seen.add(real)
    return sorted(file for file in files if file.suffix.lower() in SUFFIXES)


def _refuse(error: OSError) -> None:
    raise UserError(f"{error.filename}: cannot be read: {reason(error)}")


def stamps(source: str) -> tuple:
    """Names, sizes and times of the files of a path; () if the source is no path."""
    path = path_of(source)
    files = [] if path is None else level_files(Path(os.path.abspath(path)))
    stats = [(str(file), file.stat()) for file in files if file.exists()]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def digest(source: str) -> str:
    """The SHA-256 sum of all that is in the files of a path; "" if the source is no path.

    Raises UserError if they cannot be read.
    """
    path = path_of(source)
    if path is None:
        return ""
    whole = hashlib.sha256()
    for file in level_files(path):
        name = "" if file == path else str(file.relative_to(path))
        whole.update(hashlib.sha256(name.encode(errors="surrogateescape")).digest())
        whole.update(hashlib.sha256(read(file)).digest())
    return whole.hexdigest()


def read(file: Path) -> bytes:
    """What is in a file. Raises UserError if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {reason(error)}") from None
