"""The replay answers on loopback alone, unless it is told otherwise."""

import os
import shutil
import socket
import subprocess
import sys
import uuid
from contextlib import closing

import pytest

pytest.importorskip("reverb")

import reverb

from launch.replay.loopback import keep_to_loopback
from launch.replay.server import ReplayServer
from launch.replay.tables import TABLE
from tests.launch.replay.items import QUEUE, spec

# What another machine runs.
_CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 2.0).close()
except OSError:
    sys.exit(7)
"""


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 2.0).close()
    except OSError:
        return False
    return True


@pytest.fixture(params=(False, True), ids=("loopback", "everywhere"))
def everywhere(request) -> bool:
    return request.param


@pytest.fixture
def server(everywhere):
    with closing(ReplayServer(QUEUE, spec(), capacity=8, everywhere=everywhere)) as server:
        yield server


def own_address() -> str:
    """The machine's address beside loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return probe.getsockname()[0]


def test_only_a_server_that_is_told_to_answers_at_the_machines_address(server, everywhere):
    assert answers("127.0.0.1", server.port)
    assert answers("::1", server.port)
    assert answers(own_address(), server.port) == everywhere


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_clients_on_this_machine_are_served(server, host):
    client = reverb.Client(f"{host}:{server.port}")
    assert client.server_info(5)[TABLE].current_size == 0


def test_another_machine_finds_the_port_only_if_told(server, everywhere, other_machine):
    namespace, address = other_machine
    reached = subprocess.run(
        ["ip", "netns", "exec", namespace, sys.executable, "-c", _CONNECT, address,
         str(server.port)],
        timeout=30,
    )  # fmt: skip
    assert reached.returncode == (0 if everywhere else 7)


def test_a_port_where_nobody_listens_is_no_port_of_ours():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="nothing in this process listens"):
            keep_to_loopback(taken.getsockname()[1])


@pytest.fixture
def other_machine():
    """A network namespace joined to this one by a cable: its name, and our address there."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a network namespace needs root and the program ip (package iproute2)")
    name = f"moravec{uuid.uuid4().hex[:6]}"
    ours, theirs = f"v{name[-6:]}a", f"v{name[-6:]}b"

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, timeout=30, capture_output=True)

    try:
        ip("netns", "add", name)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespace can be made here: {error.stderr.decode().strip()}")
    try:
        ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
        ip("addr", "add", "203.0.113.1/30", "dev", ours)
        ip("link", "set", ours, "up")
        ip("-n", name, "addr", "add", "203.0.113.2/30", "dev", theirs)
        ip("-n", name, "link", "set", theirs, "up")
        yield name, "203.0.113.1"
    finally:
        subprocess.run(["ip", "netns", "del", name], timeout=30, check=False)
