"""Writing files so that none is ever half-written, and a full disk costs one line."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from environments.errors import UserError

_ADVICE = {
    errno.ENOSPC: "free some space and try again",
    errno.EDQUOT: "free some of your quota and try again",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f) and try again",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the operating system refuses while `path` is written into a UserError."""
    try:
        yield
    except Exception as error:
        number = _errno(error)
        if number is None:
            raise
        advice = f"; {_ADVICE[number]}" if number in _ADVICE else ""
        raise UserError(f"cannot write {path}: {os.strerror(number).lower()}{advice}") from error


def _errno(error: Exception) -> int | None:
    """The error number of an OSError, or of one that Orbax's array store reports as text."""
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\[(?:OS error |os_error_code=')(\d+)", str(error))
    return int(found[1]) if found else None


def atomic_write(path: Path, data: bytes | str) -> None:
    """Replaces the file `path` by one that holds `data`: afterwards it is whole, or as before.

    Raises:
      UserError: it cannot be written (full disk, no permission); nothing is left behind.
    """
    raw = data.encode() if isinstance(data, str) else data
    temporary = unfinished(path)
    with writing(path):
        try:
            with open(temporary, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync(path.parent)


def link_or_copy(source: Path, target: Path) -> None:
    """Makes the new file `target` have what `source` has: a copy where there are no hard links.

    Raises:
      UserError: it cannot be written (full disk).
    """
    with writing(target):
        try:
            os.link(source, target)
        except OSError:  # the file system has none
            shutil.copyfile(source, target)


def unfinished(path: Path) -> Path:
    """Where this process writes what will be renamed to `path` when it is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def remove_unfinished(folder: Path) -> None:
    """Removes what processes that were killed left unfinished in `folder`, which nobody writes."""
    for path in folder.glob(".*.tmp"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Waits until the file or the entries of the folder `path` are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_new_file(out: Path | None, suffixes: tuple[str, ...]) -> None:
    """Refuses a bad `--out` before any work is done for it."""
    if out is None:
        return
    if out.suffix not in suffixes:
        raise UserError(f"--out {out}: the name must end in {' or '.join(suffixes)}")
    if out.exists():
        raise UserError(f"--out {out}: exists already; choose another name or remove it")
    if not out.parent.is_dir():
        raise UserError(f"--out {out}: there is no folder {out.parent}; make it first")
    if not os.access(out.parent, os.W_OK):
        raise UserError(f"--out {out}: you may not write to the folder {out.parent}")
