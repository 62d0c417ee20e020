"""The Ray cluster that a run uses: one of its own on this machine, or one that is there already.

Imports Ray before anything else does, for it reads its settings from the environment when it is
imported; others take `ray` from here.
"""

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Otherwise, under `uv run`, every worker gets a new environment.
os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# Parts without a GPU are told to use the CPU by us.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray
import ray._private.worker
from ray import exceptions
from ray._private import ray_constants, services

from environments.errors import UserError
from launch.distributed import ray_watchdog
from launch.distributed.ray_watchdog import children
from launch.outcome import RunFailed
from launch.signals import NUMBERS

__all__ = ["cluster", "exceptions", "ray"]

_CONNECT_SECONDS = 5.0
_OBJECT_STORE = 512 << 20  # bytes; it holds weights
# Ray puts the working directory before all else on its workers' path. A user's may have packages
# that are called like ours; so while Ray starts it is this one.
_ROOT = Path(__file__).resolve().parents[2]
_NOT_SHIPPED = ("/.git", "/.venv*", "/docs", "/runs", "/tests", "**/__pycache__")
# On the driver's standard output, the raylets tell of every death with the last lines of their
# logs. We say it ourselves.
ray._private.worker.print_to_stdstream = lambda *_, **__: None


@contextmanager
def cluster(address: str, cpus: int) -> Iterator[None]:
    """Inside, Ray is connected. Is to be entered in the main thread, which its processes outlive
    by no more than seconds.

    Args:
      address: of a cluster to join; empty to start one on this machine, which listens on loopback
        only and ends with the block.
      cpus: that parts will ask for.

    Raises:
      UserError: the cluster cannot be joined, or it has too few CPUs.
    """
    with contextlib.ExitStack() as stack:
        if address:
            _join(address)
        else:
            stack.enter_context(_started(cpus))
        stack.callback(ray.shutdown)
        there = int(ray.cluster_resources().get("CPU", 0))
        if there < cpus:
            raise UserError(
                f"the cluster at {address} has {there} CPUs, of which each of runner.actors needs "
                f"one: give at most {there}, or add nodes"
            )
        yield


@contextmanager
def _started(cpus: int) -> Iterator[None]:
    """A cluster on this machine."""
    # Of its own, so that `auto` does not find it. Paths of sockets must be short.
    folder = tempfile.mkdtemp(prefix="moravec-", dir=_temporary())
    watchdog = subprocess.Popen(
        [sys.executable, ray_watchdog.__file__, folder],
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert watchdog.stdin is not None
    # Ray takes 127.0.0.1 for the machine's other address unless it knows that nobody will join.
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        with _as_before(), _started_or_failed(), contextlib.chdir(_ROOT):
            ray.init(
                address="local",
                num_cpus=max(cpus, os.cpu_count() or 1),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=_OBJECT_STORE,
                _node_ip_address="127.0.0.1",
                _temp_dir=folder,
            )
        # Ray's agents outlive their raylet by a minute.
        for raylet in children(os.getpid(), "raylet"):
            for pid in children(raylet):
                watchdog.stdin.write(f"{pid}\n")
        watchdog.stdin.flush()
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = True
        watchdog.stdin.close()
        watchdog.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _started_or_failed() -> Iterator[None]:
    """Says in one line what Ray raises when its processes do not start, as on a busy machine."""
    try:
        yield
    except Exception as error:
        message = str(error).strip().partition("\n")[0]
        raise RunFailed(f"Ray cannot be started on this machine: {message}") from error


def _join(address: str) -> None:
    runtime = {}
    if (_ROOT / "pyproject.toml").exists():  # else every node has the project installed
        runtime = {"working_dir": str(_ROOT), "excludes": list(_NOT_SHIPPED)}
    try:
        with _as_before(), contextlib.chdir(_ROOT):
            ray.init(
                address=address,
                runtime_env=runtime,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UserError(
            f"cannot join the Ray cluster at {address}: {str(error).partition(chr(10))[0]}"
        ) from error


def find(address: str) -> str:
    """`host:port` of a cluster; empty if one is to be started.

    Whether something listens there is asked here, for Ray would try for minutes.

    Args:
      address: `host:port`, `auto` for the one on this machine, or empty.

    Raises:
      UserError: there is none, or this process is connected to one already.
    """
    if ray.is_initialized():
        raise UserError(
            "this process has called ray.init already: call ray.shutdown() before, and give the "
            "address of a cluster that is to be used as runner.address"
        )
    if not address:
        return ""
    if address == "auto":
        found = os.environ.get("RAY_ADDRESS") or _current()
        if not found:
            raise UserError(
                "runner.address=auto, but no Ray cluster runs on this machine: start one with "
                "`ray start --head`, give host:port, or leave runner.address empty"
            )
        address = found
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise UserError(f"runner.address must be host:port or auto, not {address}")
    try:
        # Of this machine, Ray uses the address that others see.
        host = services.resolve_ip_for_localhost(host)
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"no Ray cluster answers at {address} ({str(error).lower()}): start one with "
            f"`ray start --head`, or leave runner.address empty"
        ) from error
    return address


def _current() -> str:
    """The cluster that was started last on this machine."""
    try:
        return (_temporary() / "ray" / "ray_current_cluster").read_text().strip()
    except OSError:
        return ""


def _temporary() -> Path:
    return Path(os.environ.get("RAY_TMPDIR", "/tmp"))


@contextmanager
def _as_before() -> Iterator[None]:
    """Puts back the signal handlers that Ray replaces by its own, and hides JAX's warning of a
    fork, for in the child a program of Ray's follows at once.

    Ray's processes ignore a lost terminal: the driver ends them, once the learner has saved.
    """
    before = {number: signal.getsignal(number) for number in NUMBERS}
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"os\.fork\(\) was called")
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
