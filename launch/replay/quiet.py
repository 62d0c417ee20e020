"""Keeps what Reverb notes of every start, stop and checkpoint off the terminal.

Reverb writes notes and warnings to C++'s `std::clog`, with no setting to choose between them; what
ends the process goes to `std::cerr`, and what fails becomes an exception. So for the length of a
call `std::clog` is told that it is broken, upon which it drops what it is given. Standard error
itself is not touched.
"""

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_BROKEN = 1  # std::ios_base::badbit
_lock = threading.Lock()
_inside = 0  # calls that go on now, in all threads


@contextmanager
def quiet() -> Iterator[None]:
    """Drops what this process writes to `std::clog` in the meantime, in any thread."""
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    global _inside
    with _lock:
        _inside += change
        if _set_state is not None:
            _set_state(_BROKEN if _inside else 0)


def _find() -> Callable[[int], object] | None:
    """What sets the state of `std::clog`; None where GNU's C++ library is not used."""
    try:
        library = ctypes.CDLL("libstdc++.so.6")
        stream = ctypes.addressof(ctypes.c_char.in_dll(library, "_ZSt4clog"))
        clear = library._ZNSt9basic_iosIcSt11char_traitsIcEE5clearESt12_Ios_Iostate
    except (OSError, ValueError, AttributeError):
        return None
    clear.argtypes, clear.restype = [ctypes.c_void_p, ctypes.c_int], None
    # Where the part that holds the state begins, a virtual base, stands before the virtual table.
    table = ctypes.c_void_p.from_address(stream).value or 0
    state = stream + ctypes.c_ssize_t.from_address(table - 3 * ctypes.sizeof(ctypes.c_void_p)).value
    return lambda bits: clear(state, bits)


_set_state = _find()
