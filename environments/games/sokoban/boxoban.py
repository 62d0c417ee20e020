"""The Boxoban levels (DeepMind, github.com/google-deepmind/boxoban-levels): where they lie.

Looked for in the folder `$MORAVEC_BOXOBAN`, which may hold a part of the files, then in the user's
cache; failing both, the public archive is downloaded into the cache.
"""

import fcntl
import http.client
import logging
import os
import shutil
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from environments.errors import UserError, reason, unknown
from environments.progress import progress

ARCHIVE = "https://codeload.github.com/google-deepmind/boxoban-levels/zip/refs/heads/master"
LEVELS = {  # how many levels each part holds
    "unfiltered/train": 900_000,
    "unfiltered/valid": 100_000,
    "unfiltered/test": 1_000,
    "medium/train": 450_000,
    "medium/valid": 50_000,
    "hard": 3_332,
}
VARIABLE = "MORAVEC_BOXOBAN"
_TIMEOUT = 30  # seconds without an answer
_log = logging.getLogger(__name__)


def boxoban_folder(part: str) -> Path:
    """The folder that holds the text files of a part, one of LEVELS; downloads it if need be.

    Raises UserError for an unknown part, a wrong `$MORAVEC_BOXOBAN`, and without network.
    """
    if part not in LEVELS:
        raise unknown("Boxoban level set", part, LEVELS)
    given = os.path.expanduser(os.environ.get(VARIABLE, ""))
    if given and not Path(given).is_dir():
        raise UserError(
            f"{VARIABLE}={given} is no folder; set it to one that holds Boxoban's files"
        )
    for root in (Path(given) if given else None, cache_folder()):
        if root is not None and any((root / part).glob("*.txt")):
            return root / part
    download(ARCHIVE, cache_folder(), LEVELS)
    return cache_folder() / part


def cache_folder() -> Path:
    """Where downloaded levels lie: `$XDG_CACHE_HOME/moravec/boxoban`, by default in `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "moravec" / "boxoban"


def download(url: str, folder: Path, levels: dict[str, int]) -> None:
    """Fetches the archive at `url` into `folder`, which appears complete or not at all.

    Of several processes one does, and the others wait for it. `levels` says how many each part
    must hold. Raises UserError if anything goes wrong.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.parent):
            if all(any((folder / part).glob("*.txt")) for part in levels):
                return  # another process was faster
            with tempfile.TemporaryDirectory(prefix=".boxoban-", dir=folder.parent) as scratch:
                archive, unpacked = Path(scratch, "archive.zip"), Path(scratch, "boxoban")
                _fetch(url, archive)
                _extract(archive, unpacked, levels)
                _check(unpacked, levels)
                shutil.rmtree(folder, ignore_errors=True)
                unpacked.rename(folder)
    except OSError as error:
        raise UserError(f"cannot keep the Boxoban levels in {folder}: {reason(error)}") from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keeps out other processes; whoever holds the lock gives it up when it dies or hears nothing.

    The folder itself is locked, so that nothing else has to lie in it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.warning("waiting for another process that downloads the Boxoban levels")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _fetch(url: str, archive: Path) -> None:
    with archive.open("wb") as file:
        for block in _blocks(url):
            file.write(block)


def _blocks(url: str) -> Iterator[bytes]:
    """What `url` sends, piece by piece, under a progress bar."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
            size = response.headers.get("Content-Length")
            with progress("Boxoban levels", float(size) if size else None, octets=True) as advance:
                while block := response.read(1 << 16):
                    yield block
                    advance(len(block))
    except (OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", None) or error
        raise UserError(
            f"cannot download the Boxoban levels ({cause}): connect to the network, "
            f"or set {VARIABLE} to a folder that holds them"
        ) from None


def _extract(archive: Path, folder: Path, parts: Iterable[str]) -> None:
    """Unpacks the level files of `parts`, and the licence, without the archive's own top folder."""
    for part in parts:
        (folder / part).mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as packed:
            for member in packed.infolist():
                name = PurePosixPath(*PurePosixPath(member.filename).parts[1:])
                if (str(name.parent) in parts and name.suffix == ".txt") or str(name) == "LICENSE":
                    (folder / name).write_bytes(packed.read(member))
    except (zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"the Boxoban levels arrived damaged ({error}): try again") from None


def _check(folder: Path, levels: dict[str, int]) -> None:
    for part, expected in levels.items():
        found = sum(path.read_bytes().count(b";") for path in (folder / part).glob("*.txt"))
        if found != expected:
            raise UserError(
                f"the downloaded Boxoban levels hold {found} levels in {part}, not {expected}: "
                f"try again, or set {VARIABLE} to a folder that holds them"
            )
