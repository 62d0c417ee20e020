"""A command in a terminal of its own, which can be closed while it runs."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

# Makes its standard input, a terminal, the one that controls it, as a login does.
_LOGIN = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@contextmanager
def in_terminal(
    command: list[str], environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[str], Callable[[], None]]]:
    """The running command, and what closes its terminal; it is killed at the end."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _LOGIN, *command],
        env=environment | {"TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        text=True,
        start_new_session=True,
    )
    os.close(theirs)
    closing = threading.Event()

    def read() -> None:  # or it would wait for somebody to read
        with suppress(OSError):
            while not closing.is_set() and os.read(ours, 4096):
                pass
        os.close(ours)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()

    def hang_up() -> None:
        closing.set()
        reader.join()

    with process:
        try:
            yield process, hang_up
        finally:
            process.kill()
            if not closing.is_set():
                hang_up()
