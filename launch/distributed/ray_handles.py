"""Parts of a run as Ray actors, seen from whoever started them."""

from dataclasses import dataclass
from typing import Any

from environments.errors import UserError
from launch.distributed.ray_cluster import exceptions, ray
from launch.outcome import RunFailed

_START_SECONDS = 300.0  # imports, levels, a place in the cluster


@dataclass(frozen=True)
class Failure:
    """What a part returns in place of an exception, which Ray would wrap in a traceback."""

    message: str
    user: bool  # a UserError's, else a RunFailed's

    @classmethod
    def of(cls, error: UserError | RunFailed) -> "Failure":
        """From the exception."""
        return cls(str(error), isinstance(error, UserError))


def checked(result: Any) -> Any:
    """What a part returned; raises what a `Failure` stands for."""
    if isinstance(result, Failure):
        raise (UserError if result.user else RunFailed)(result.message)
    return result


def spawn(cls: type, *arguments: Any, **options: Any) -> Any:
    """Starts a Ray actor; does not wait for it.

    Args:
      cls: of the actor.
      *arguments: of its constructor.
      **options: as Ray calls them; without any it needs no CPU, so that it always finds a node.
    """
    return ray.remote(cls).options(**({"num_cpus": 0} | options)).remote(*arguments)


def answer(reference: Any, what: str, timeout: float = _START_SECONDS) -> Any:
    """The result of a call to a part.

    Raises:
      UserError: that the part returned as a `Failure`.
      RunFailed: so did it, or it died, or did not answer within `timeout` seconds.
    """
    try:
        return checked(ray.get(reference, timeout=timeout))
    except exceptions.GetTimeoutError:
        raise RunFailed(f"{what} did not answer for {timeout:.0f} s") from None
    except exceptions.RayError as error:
        raise RunFailed(f"{what} died: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """One line about why a Ray actor does not answer."""
    if isinstance(error, exceptions.RayTaskError):
        cause: Any = error.cause
        return f"{type(cause).__name__}: {cause}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if lines and "creation task" in lines[0]:
        return lines[-1]
    return "its process or its node is gone"


class RayHandle:
    """A part with one call that lasts as long as the part; see `supervisor.Handle`."""

    def __init__(self, part: Any, call: Any):
        """Args:
        part: the Ray actor.
        call: the reference of the call's result.
        """
        self.part, self._call = part, call

    def death(self) -> str | None:
        """See `Handle`."""
        if not self.ended():
            return None
        try:
            ray.get(self._call)
            return None
        except exceptions.RayError as error:
            return reason(error)

    def result(self) -> Any:
        """What the call returned, when it has ended and not died."""
        return ray.get(self._call)

    def ended(self) -> bool:
        """See `Handle`."""
        return bool(ray.wait([self._call], timeout=0, fetch_local=False)[0])

    def kill(self) -> None:
        """See `Handle`."""
        ray.kill(self.part)
