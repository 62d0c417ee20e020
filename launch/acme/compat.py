"""Lets Acme be imported where Launchpad has no wheel: `install` puts a stand-in in its place.

Acme's loops ask Launchpad to call them when the program is to stop, and no more. `stop` is that
call, for whoever runs them.
"""

import importlib
import importlib.util
import platform
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from environments.errors import UserError

_NAME = "launchpad"
_DOC = """NOT LAUNCHPAD. A stand-in put here by launch.acme.compat, because Acme imports the name.

It has what Acme's loops call: stop handlers. It launches nothing.
"""
__version__ = "0.1.0"

_lock = threading.RLock()
_handlers: list[Callable[[], Any]] = []
_stopped = threading.Event()


def install() -> None:
    """Makes `import acme` work; to be called before it. Nothing happens the second time.

    The real Launchpad is used if it can be imported.

    Raises:
      UserError: Acme is not installed.
    """
    if importlib.util.find_spec("acme") is None:
        raise UserError(
            f"Acme is not installed for Python {platform.python_version()}: use Python 3.11, "
            "for which `uv sync` installs it"
        )
    if _NAME in sys.modules:
        return
    try:
        importlib.import_module(_NAME)
    except ImportError:
        sys.modules[_NAME] = _stand_in()


def stop() -> None:
    """Stops every Acme loop that runs in this process; its `run` returns soon after.

    A loop that begins later is not stopped. May be called from any thread.
    """
    sys.modules[_NAME].stop()


def _stop() -> None:
    # In a thread of its own: a handler may end the caller before the others are called.
    thread = threading.Thread(target=_call_handlers, name="stop handlers", daemon=True)
    thread.start()
    thread.join(10.0)
    if thread.is_alive():
        raise TimeoutError("waited 10 s for Acme's stop handlers to return")


def _call_handlers() -> None:
    _stopped.set()
    with _lock:  # a handler that was unregistered meanwhile would stop whatever its thread does now
        for handler in _handlers.copy():
            handler()


def _register(handler: Callable[[], Any]) -> None:
    with _lock:
        _handlers.append(handler)


def _unregister(handler: Callable[[], Any]) -> None:
    with _lock:
        if handler in _handlers:
            _handlers.remove(handler)


def _wait_for_stop(timeout: float | None = None) -> bool:
    """Waits for `stop`, at most `timeout` seconds; whether it came."""
    return _stopped.wait(timeout)


def _missing(name: str) -> Any:
    message = f"launchpad.{name}: this is a stand-in for Launchpad, which is not installed"
    if name.startswith("__"):
        raise AttributeError(message)
    raise AttributeError(f"{message}; it has stop handlers only: use `moravec train` to launch")


def _stand_in() -> ModuleType:
    module: Any = ModuleType(_NAME, _DOC)
    module.__version__ = __version__
    module.register_stop_handler = _register
    module.unregister_stop_handler = _unregister
    module.stop = _stop
    module.stop_event = lambda: _stopped
    module.wait_for_stop = _wait_for_stop
    module.__getattr__ = _missing
    return module
