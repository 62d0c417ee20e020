"""Ctrl-C and SIGTERM as a request to stop at the next good place."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stop:
    """Whether somebody asked to stop."""

    def __init__(self) -> None:
        self.requested = False


@contextmanager
def stop_on_signals(say: Callable[[str], None]) -> Iterator[Stop]:
    """Inside, the first Ctrl-C or SIGTERM requests a stop; a second one acts as it would outside.

    Args:
      say: told, once, that the request was heard.
    """
    stop = Stop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number, frame):
        stop.requested = True
        for each, handler in before.items():
            signal.signal(each, handler)
        say("stopping after this step, with a checkpoint; once more stops at once")

    for number in before:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
