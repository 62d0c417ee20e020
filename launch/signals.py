"""Ctrl-C and SIGTERM as a request to stop at the next good place."""

import _thread
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NUMBERS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = 130  # the exit status after Ctrl-C, as shells have it
_GRACE = 1.0  # seconds for the main thread to leave what it is in


class Stop:
    """Whether somebody asked to stop."""

    def __init__(self) -> None:
        self.requested = False


@contextmanager
def stop_on_signals(
    say: Callable[[str], None], close: Callable[[], None] = lambda: None
) -> Iterator[Stop]:
    """Inside, the first Ctrl-C or SIGTERM requests a stop; the second raises KeyboardInterrupt.

    Python runs handlers between two of its instructions, but compiling takes up to a minute in
    one. So a thread listens: it answers at once, and ends the process with status 130 if the main
    thread does not get to the KeyboardInterrupt within seconds.

    Args:
      say: told, once, that the request was heard.
      close: called before the process is ended, to leave the terminal as it was.
    """
    stop = Stop()
    raising = threading.Event()  # the next call of the handler, and only that one, raises
    left = threading.Event()
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def handle(number, frame):
        if raising.is_set():
            raising.clear()
            raise KeyboardInterrupt

    def listen():
        while number := reader.recv(1):  # nothing once the other end is closed
            if number[0] not in NUMBERS or left.is_set():
                continue
            if not stop.requested:
                stop.requested = True
                say("stopping as soon as all is safe; once more stops at once")
                continue
            raising.set()
            _thread.interrupt_main()
            if not left.wait(_GRACE):
                close()
                os._exit(INTERRUPTED)

    before = {number: signal.signal(number, handle) for number in NUMBERS}
    wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    listener = threading.Thread(target=listen, name="signals", daemon=True)
    listener.start()
    try:
        yield stop
    finally:
        left.set()
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        writer.close()
        listener.join()
        reader.close()
