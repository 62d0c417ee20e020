"""What every test runs under: four CPU devices, quick compilation, reproducible examples."""

import atexit
import importlib
import os
import shutil
import signal
import tempfile
import warnings

from tests.compiling import QUICK

# Read by JAX when it is first imported, so before any test module. Processes that tests start
# inherit them.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} {QUICK} --xla_force_host_platform_device_count=4".strip()
)
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    _compiled = tempfile.mkdtemp(prefix="moravec-compiled-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _compiled
    atexit.register(shutil.rmtree, _compiled, ignore_errors=True)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

import pytest
from hypothesis import settings

from environments.embedded.contexts import CannotRenderError, new_context
from environments.embedded.engine import undrawn
from tests.deadline import (
    pytest_collection_modifyitems,
    pytest_runtest_setup,
    pytest_terminal_summary,
)

__all__ = ["pytest_collection_modifyitems", "pytest_runtest_setup", "pytest_terminal_summary"]

# `pytest &` in a shell ignores Ctrl-C, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests may import dm_control by themselves: it then looks for no display, and does not warn.
with undrawn(), warnings.catch_warnings():
    importlib.import_module("dm_control._render")


@pytest.fixture
def pictures():
    """For a test that has pictures made by a command or another library: skips it likewise."""
    new_context()[1].free()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Skips what needs pictures where nothing can render, for the reason that is given."""
    try:
        return (yield)
    except CannotRenderError as error:
        pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef, request):
    """Likewise what is set up for a test."""
    try:
        return (yield)
    except CannotRenderError as error:
        pytest.skip(str(error))


settings.register_profile("local", deadline=None)  # the first call of an example compiles
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")
