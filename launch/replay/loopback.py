"""Keeps a server that chose its own sockets to this machine: who is elsewhere finds no port.

Reverb's C++ code asks gRPC for `[::]:port`, every interface of the machine, and takes nothing but
the port. What it opened are sockets of this process all the same, and a listening socket that is
bound to the loopback device is not found by what comes in over another one.
"""

import ctypes
import logging
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv6Address, ip_address

from environments.errors import reason

_DEVICE = "lo"
_ATTACH_FILTER = 26  # SO_ATTACH_FILTER of Linux, which Python does not name
_ACCEPT_SECONDS = 1.0  # for the server to accept who has connected
_WAITING = struct.Struct("=24xI")  # of Linux's tcp_info: who is not accepted yet (tcpi_unacked)
_log = logging.getLogger(__name__)


def is_loopback(host: str) -> bool:
    """Whether `host` is an address of 127.0.0.0/8 or ::1; a name is none, wherever it leads."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


def shut_out(port: int) -> None:
    """As `keep_to_loopback`, but where that fails the log warns: the run is worth more."""
    try:
        keep_to_loopback(port)
    except OSError as error:
        _log.warning(
            "port %d of the replay is open on every interface of this machine (%s): keep it behind "
            "a firewall",
            port,
            reason(error),
        )


def keep_to_loopback(port: int) -> None:
    """Has all sockets of this process that listen on TCP `port` accept over loopback alone.

    Connections to 127.0.0.0/8 and ::1 are accepted as before; those to the machine's other
    addresses are refused, its own too. What came in over those before this call is cut; only a
    handshake that was under way, and ends later, is missed.

    Raises:
      OSError: no socket listens there, or the system allows neither way.
    """
    found = False
    for listener in _sockets(port, listening=True):
        found = True
        try:  # Linux lets ordinary users do so from 5.7 on
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, _DEVICE.encode())
        except OSError:
            drop_from_elsewhere(listener)
        _wait_until_accepted(listener)
    if not found:
        raise OSError(f"nothing in this process listens on port {port}")
    for connection in _sockets(port, listening=False):
        with suppress(OSError):  # closed by now
            if not is_loopback(connection.getsockname()[0]):
                connection.shutdown(socket.SHUT_RDWR)


def drop_from_elsewhere(listener: socket.socket) -> None:
    """Has the kernel drop packets to `listener` that did not come over the loopback device.

    For any Linux, but coarser than a socket bound to the device: who is elsewhere gets no answer
    at all, and the machine's own other addresses stay open to itself. Raises OSError if refused.
    """
    program = b"".join(
        struct.pack("=HBBI", *step)
        for step in (
            (0x20, 0, 0, 0xFFFFF008),  # load the number of the device: SKF_AD_OFF + SKF_AD_IFINDEX
            (0x15, 0, 1, socket.if_nametoindex(_DEVICE)),  # if it is another, skip a step
            (0x06, 0, 0, 0xFFFFFFFF),  # keep the packet
            (0x06, 0, 0, 0),  # drop it
        )
    )
    buffer = ctypes.create_string_buffer(program, len(program))
    steps = struct.pack("HP", len(program) // 8, ctypes.addressof(buffer))  # struct sock_fprog
    listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, steps)


def _wait_until_accepted(listener: socket.socket) -> None:
    # Until then a connection is no socket of this process, and could not be cut.
    deadline = time.monotonic() + _ACCEPT_SECONDS
    while time.monotonic() < deadline:
        state = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _WAITING.size)
        if _WAITING.unpack(state)[0] == 0:
            return
        time.sleep(0.001)


def _sockets(port: int, *, listening: bool) -> Iterator[socket.socket]:
    """Those at the port, each as a duplicate that is closed when the next is asked for."""
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # no socket, or closed by now
            duplicate = os.dup(int(descriptor))
            try:
                found = socket.socket(fileno=duplicate)
            except OSError:
                os.close(duplicate)
                continue
            with found:
                if _is_at(found, port, listening):
                    yield found


def _is_at(found: socket.socket, port: int, listening: bool) -> bool:
    if found.family not in (socket.AF_INET, socket.AF_INET6) or found.type != socket.SOCK_STREAM:
        return False
    accepts = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    return bool(accepts) == listening and found.getsockname()[1] == port
