"""Slow tests that begin only while there is time, other files first at every commit.

For `.ci/run`, which sets the variable `UNTIL` to seconds since the epoch; else all run in order.
"""

import os
import time

import pytest

REASON = "no time left"
UNTIL = "SLOW_TESTS_UNTIL"


def _until() -> float | None:
    return float(text) if (text := os.environ.get(UNTIL)) else None


@pytest.hookimpl(trylast=True)  # once those that are not to run are gone
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files in order, but from one on that the commit decides: in time every one is first."""
    files = {path: number for number, path in enumerate(dict.fromkeys(i.path for i in items))}
    if files and _until() is not None:
        first = int(os.environ.get("SLOW_TESTS_COMMIT", "0"), base=16)
        items.sort(key=lambda item: (files[item.path] - first) % len(files))


@pytest.hookimpl(tryfirst=True)  # before any fixture
def pytest_runtest_setup(item: pytest.Item) -> None:
    until = _until()
    if until is not None and time.time() > until and item.get_closest_marker("slow"):
        pytest.skip(REASON)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _until() is not None:
        reports = terminalreporter.getreports("skipped")
        left = sum(REASON in str(report.longrepr) for report in reports)
        ran = sum(len(terminalreporter.getreports(kind)) for kind in ("passed", "failed"))
        terminalreporter.write_line(f"slow tests: {ran} ran, {left} left out ({REASON})")
