"""The replay answers on loopback alone, unless it is told otherwise."""

import logging
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

from environments.errors import UserError
from launch.platforms import require_ports
from launch.replay import loopback
from launch.replay.loopback import keep_to_loopback, shut_out
from launch.replay.server import ReplayServer
from launch.replay.tables import TABLE
from tests.launch.addresses import answers, own_address
from tests.launch.replay.items import QUEUE, spec

# What another machine runs.
_CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 2.0).close()
except OSError:
    sys.exit(7)
"""


def reached_from(machine: tuple[str, str], port: int) -> bool:
    """Whether `other_machine` can connect to us."""
    namespace, address = machine
    command = [sys.executable, "-c", _CONNECT, address, str(port)]
    reached = subprocess.run(["ip", "netns", "exec", namespace, *command], timeout=30)
    assert reached.returncode in (0, 7)
    return reached.returncode == 0


def greeted_to_the_end(connection: socket.socket) -> bool:
    """Reads what gRPC says to who connects; True once the connection has ended."""
    try:
        while connection.recv(1024):
            pass
    except ConnectionError:
        pass
    return True


@pytest.fixture(params=(False, True), ids=("loopback", "everywhere"))
def everywhere(request) -> bool:
    return request.param


@pytest.fixture
def server(everywhere):
    with closing(ReplayServer(QUEUE, spec(), capacity=8, everywhere=everywhere)) as server:
        yield server


def test_only_a_server_that_is_told_to_answers_at_the_machines_address(server, everywhere):
    assert answers("127.0.0.1", server.port)
    assert answers("::1", server.port)
    assert answers(own_address(), server.port) == everywhere


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_clients_on_this_machine_are_served(server, host):
    client = reverb.Client(f"{host}:{server.port}")
    assert client.server_info(5)[TABLE].current_size == 0


def test_another_machine_finds_the_port_only_if_told(server, everywhere, other_machine):
    assert reached_from(other_machine, server.port) == everywhere


def test_every_listening_socket_is_bound_to_the_device(server, everywhere):
    devices = [
        listener.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
        for listener in loopback._sockets(server.port, listening=True)
    ]
    assert devices
    assert set(devices) == {b"" if everywhere else b"lo\0"}


@pytest.mark.parametrize("everywhere", [True], indirect=True)
def test_who_came_from_elsewhere_before_is_cut(server):
    with (
        socket.create_connection((own_address(), server.port), 10.0) as early,
        socket.create_connection(("127.0.0.1", server.port), 10.0) as ours,
    ):
        keep_to_loopback(server.port)
        assert greeted_to_the_end(early)
        ours.settimeout(1.0)
        with pytest.raises(TimeoutError):  # not at its end
            greeted_to_the_end(ours)


@pytest.mark.parametrize("everywhere", [True], indirect=True)
def test_where_no_socket_can_be_bound_packets_from_elsewhere_are_dropped(server, other_machine):
    assert reached_from(other_machine, server.port)
    for listener in loopback._sockets(server.port, listening=True):
        loopback.drop_from_elsewhere(listener)
    assert not reached_from(other_machine, server.port)
    for host in ("127.0.0.1", "[::1]"):
        client = reverb.Client(f"{host}:{server.port}")
        assert client.server_info(5)[TABLE].current_size == 0


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False),
        ("::ffff:192.0.2.1", False),
        ("::", False),
        ("0.0.0.0", False),
        ("fe80::1%eth0", False),
        ("node1", False),  # Ray knows nodes by names too, if they were started so
        ("localhost", False),
    ],
)
def test_which_hosts_are_loopback(host, expected):
    assert loopback.is_loopback(host) == expected


@pytest.mark.parametrize(
    ("family", "host"),
    [
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET, "0.0.0.0"),
        (socket.AF_INET6, "::1"),
        (socket.AF_INET6, "::"),
    ],
)
def test_a_port_taken_at_any_address_is_refused(family, host):
    with socket.socket(family) as taken:
        if family == socket.AF_INET6:
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            UserError, match=rf"port {port} cannot be listened on \(address already in use\)"
        ):
            require_ports(port, 1)
        with pytest.raises(
            UserError, match=rf"cannot listen on port {port} \(address already in use\)"
        ):
            ReplayServer(QUEUE, spec(), capacity=8, port=port)


def test_a_port_that_stays_open_is_warned_of(caplog):
    with socket.socket() as taken, caplog.at_level(logging.WARNING):
        taken.bind(("127.0.0.1", 0))
        shut_out(taken.getsockname()[1])
    (record,) = caplog.records
    assert "is open on every interface" in record.getMessage()


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
