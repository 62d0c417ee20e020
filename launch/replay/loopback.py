"""Keeps a server that chose its own sockets to this machine: who is elsewhere finds no port.

Reverb's C++ code asks gRPC for `[::]:port`, every interface of the machine, and takes nothing but
the port. What it opened are sockets of this process all the same, and a listening socket that is
bound to the loopback device is not found by what comes in over another one.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress

_DEVICE = b"lo"


def keep_to_loopback(port: int) -> None:
    """Has all sockets of this process that listen on TCP `port` accept over loopback alone.

    Connections to 127.0.0.0/8 and ::1 are accepted as before; those to the machine's other
    addresses are refused, its own too. What connected before this call stays connected.

    Raises:
      OSError: no socket listens there, or the system does not let an ordinary user bind one to a
        device (Linux does from 5.7 on).
    """
    found = False
    for listener in _listeners(port):
        found = True
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, _DEVICE)
    if not found:
        raise OSError(f"nothing in this process listens on port {port}")


def _listeners(port: int) -> Iterator[socket.socket]:
    """The sockets, each as a duplicate that is closed when the next is asked for."""
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # no socket, or closed by now
            duplicate = os.dup(int(descriptor))
            try:
                found = socket.socket(fileno=duplicate)
            except OSError:
                os.close(duplicate)
                continue
            with found:
                if _listens(found, port):
                    yield found


def _listens(found: socket.socket, port: int) -> bool:
    if found.family not in (socket.AF_INET, socket.AF_INET6) or found.type != socket.SOCK_STREAM:
        return False
    accepts = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    return bool(accepts) and found.getsockname()[1] == port
