"""What is known of the server at an address: whether it answers, and which one it is."""

import socket
from typing import Any

import reverb

from launch.replay.tables import TABLE

_CONNECT = 0.4  # s to wait for the port
_ANSWER = 1  # s to wait for the answer, whole ones


def listening(address: str) -> bool:
    """Whether anything accepts connections at `address`; after 0.4 s the answer is no."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _CONNECT).close()
    except OSError:
        return False
    return True


def find_signature(client: reverb.Client) -> dict[str, Any] | None:
    """The signature of the server's table; None if it does not answer within about 1.5 s."""
    if not listening(client.server_address):
        return None
    try:
        found: Any = client.server_info(_ANSWER)[TABLE].signature
    except (reverb.ReverbError, RuntimeError):
        return None
    return found
