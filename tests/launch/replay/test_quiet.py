"""Notes of C++ are dropped for the length of a call, in all threads, and only these."""

import ctypes
import os
import subprocess
import sys
from contextlib import ExitStack

import pytest

from launch.replay.quiet import quiet
from tests.launch.commands import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Reverb is for Linux")


def note(text: bytes) -> None:
    """Writes to `std::clog`."""
    library = ctypes.CDLL("libstdc++.so.6")
    stream = ctypes.addressof(ctypes.c_char.in_dll(library, "_ZSt4clog"))
    write = library._ZNSo5writeEPKcl  # std::ostream::write
    write.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_ssize_t]
    write(stream, text, len(text))


def test_notes_are_dropped_within_and_come_after(capfd):
    note(b"before ")
    with quiet():
        note(b"within ")
        os.write(2, b"other ")
    note(b"after")
    assert capfd.readouterr().err == "before other after"


def test_the_last_call_to_end_lets_notes_through_again(capfd):
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(quiet())
        second.enter_context(quiet())
        first.close()
        note(b"within ")
        second.close()
        note(b"after")
    assert capfd.readouterr().err == "after"


def test_an_error_ends_it(capfd):
    with pytest.raises(ValueError, match="wrong"), quiet():
        raise ValueError("wrong")
    note(b"after")
    assert capfd.readouterr().err == "after"


def test_reverb_comes_without_deprecations_after_dm_control():
    pytest.importorskip("reverb", reason="the replay needs dm-reverb, which needs Python 3.11")
    imports = "import launch.replay, environments.embedded.parts, launch.replay.server"
    variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", imports],
        env=variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert "Deprecat" not in done.stderr
