"""What is loaded from a run once for all who ask for it in this process."""

import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from launch import run_folder

_Loaded = TypeVar("_Loaded")
_KEPT = 8  # of each kind, those that were asked for last


def shared(load: Callable[[str | Path], _Loaded]) -> Callable[[str | Path], _Loaded]:
    """`load` of a run's folder, which loads again only what has been published anew.

    So what it gives must not change as it is used. Threads that ask at the same time wait for one
    of them to load.
    """
    lock = threading.Lock()

    @functools.lru_cache(_KEPT)
    def kept(run: str | Path, *_: object) -> _Loaded:
        return load(run)

    @functools.wraps(load)
    def found(run: str | Path) -> _Loaded:
        folder = run_folder.open_run(Path(run))
        with lock:
            return kept(run, folder.path.resolve(), _stamp(folder.config), _stamp(folder.policy))

    return found


def _stamp(path: Path) -> tuple[int, int] | None:
    """What differs once the file has been replaced; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
