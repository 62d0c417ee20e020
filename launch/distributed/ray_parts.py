"""The parts of a run that only act or serve, as Ray actors: coordinator, actor, replay."""

import contextlib
import os
import threading
from pathlib import Path
from typing import Any

from environments.errors import UserError
from launch import configuration
from launch.distributed.acting import act
from launch.distributed.plan import make_plan
from launch.distributed.ray_cluster import ray
from launch.distributed.ray_handles import Failure
from launch.distributed.ray_link import RayLink
from launch.distributed.replay_host import serve
from launch.platforms import prefer_platform
from launch.replay.loopback import is_loopback


def enter(folder: str, platform: str = "cpu") -> None:
    """Makes a process ready for its part.

    Args:
      folder: the driver's working directory, to which paths of levels may be relative.
      platform: that JAX is to look for.
    """
    with contextlib.suppress(OSError):  # on another node it need not be there
        os.chdir(folder)
    prefer_platform(platform)


class ActorPart:
    """One incarnation of an actor, or of several one after the other."""

    def __init__(self, folder: str, document: dict[str, Any]):
        """Args:
        folder: see `enter`.
        document: the experiment as JSON.
        """
        enter(folder)
        import launch.replay.writer  # noqa: F401  TensorFlow: seconds, while others start too

        self._plan = make_plan(configuration.from_json(document))

    def act(self, actor: int, incarnation: int, replay: str, coordinator: Any) -> None:
        """See `acting.act`."""
        act(self._plan, actor, incarnation, replay, RayLink(coordinator))


class ReplayPart:
    """A replay server."""

    def __init__(self, folder: str, document: dict[str, Any]):
        """See `ActorPart`."""
        enter(folder)
        import launch.replay.server  # noqa: F401  likewise

        self._plan = make_plan(configuration.from_json(document))
        self._closed = threading.Event()

    def start(self, checkpoints: Path, ports: list[int]) -> str | Failure:
        """Serves; at which address.

        It is the node's: of a cluster on this machine alone, loopback.

        Args:
          checkpoints: the folder of what it holds.
          ports: to try, in order; 0 for a free one.
        """
        host = ray.util.get_node_ip_address()
        for last, port in enumerate(ports, 1):
            try:
                self._server = serve(
                    self._plan, checkpoints, port, everywhere=not is_loopback(host)
                )
                break
            except UserError as error:
                if last == len(ports):
                    return Failure.of(error)
        return f"{host}:{self._server.port}"

    def live(self) -> None:
        """Lasts until it is closed."""
        self._closed.wait()

    def items(self) -> int:
        """See `replay_host.ReplayHost`."""
        return self._server.fill()

    def counts(self) -> tuple[int, int]:
        """See `replay_host.ReplayHost`."""
        return self._server.inserted(), self._server.sampled()

    def save(self) -> Failure | None:
        """See `replay_host.ReplayHost`."""
        try:
            self._server.save()
        except UserError as error:
            return Failure.of(error)

    def close(self) -> None:
        """See `replay_host.ReplayHost`."""
        self._server.close()
        self._closed.set()
