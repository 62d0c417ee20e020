"""Ctrl-C, SIGTERM and a lost terminal (SIGHUP) as a request to stop at the next good place."""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130  # the exit status after Ctrl-C, as shells have it


class Stop:
    """Whether somebody asked to stop."""

    def __init__(self) -> None:
        self.requested = False


@contextmanager
def stop_on_signals(
    say: Callable[[str], None], close: Callable[[], None] = lambda: None
) -> Iterator[Stop]:
    """Inside, the first Ctrl-C, SIGTERM or SIGHUP requests a stop; a second one ends the process.

    SIGHUP alone never ends it, for a terminal that is lost may send two; and who ignores it, as
    `nohup` does, goes on.

    Python runs handlers between two of its instructions, but compiling takes up to a minute in
    one. So a thread listens, which answers at once.

    Args:
      say: told, once, that the request was heard.
      close: called before the process is ended, to leave the terminal as it was.
    """
    handled = [
        number
        for number in NUMBERS
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
    ]
    stop = Stop()
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def listen():
        while number := reader.recv(1):  # nothing once the other end is closed
            if number[0] not in handled or (stop.requested and number[0] == signal.SIGHUP):
                continue
            if stop.requested:
                close()
                os._exit(INTERRUPTED)  # as safe as a kill: every file is written whole
            stop.requested = True
            with contextlib.suppress(OSError):  # nobody reads what is said any more
                say("stopping as soon as all is safe; once more stops at once")

    # Handlers that do nothing: what is sent to the wakeup descriptor is enough.
    before = {number: signal.signal(number, lambda *_: None) for number in handled}
    wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    listener = threading.Thread(target=listen, name="signals", daemon=True)
    listener.start()
    try:
        yield stop
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        writer.close()
        listener.join()
        reader.close()
