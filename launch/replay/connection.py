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
    found = find_table(client)
    return None if found is None else found.signature


def find_table(client: reverb.Client) -> Any:
    """What the server tells of its table (a `TableInfo` of Reverb); None as above."""
    if not listening(client.server_address):
        return None
    try:
        return client.server_info(_ANSWER)[TABLE]
    except (reverb.ReverbError, RuntimeError):
        return None
