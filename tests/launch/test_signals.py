"""Signals as requests to stop; a terminal that is lost costs nothing."""

import os
import queue
import signal

import pytest

from launch.signals import stop_on_signals
from tests.launch.commands import SECONDS, TINY, command, environment, rows, wait_until
from tests.launch.terminals import in_terminal


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def number(request):
    """A signal that is not ignored, whatever has started the tests."""
    before = signal.signal(request.param, signal.SIG_DFL)
    yield request.param
    signal.signal(request.param, before)


def test_the_first_requests_a_stop(number):
    heard = queue.Queue()
    with stop_on_signals(heard.put) as stop:
        assert not stop.requested
        os.kill(os.getpid(), number)
        heard.get(timeout=60)
        assert stop.requested
        for _ in range(2):  # a lost terminal may send more than one, and they end nothing
            os.kill(os.getpid(), signal.SIGHUP)
    assert heard.empty()
    assert signal.getsignal(number) == signal.SIG_DFL


def test_who_hears_no_hangup_goes_on():
    """As under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals(print) as stop:
            os.kill(os.getpid(), signal.SIGHUP)
        assert not stop.requested
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.slow
def test_a_run_whose_terminal_is_lost_saves_and_ends(tmp_path):
    run = tmp_path / "run"
    never = "--runner.checkpoint-minutes", "100", "--max-frames", "1000000"
    arguments = command("train", *TINY, *never, "--run-dir", run)
    with in_terminal(arguments, environment()) as (process, hang_up):
        wait_until(lambda: (run / "metrics.csv").exists() and len(rows(run)) > 3, process)
        hang_up()
        assert process.wait(SECONDS) in (0, 120)  # what Python could not say at its end
    steps = [int(path.name) for path in (run / "checkpoints").iterdir()]
    assert steps == [rows(run)[-1]["frames"]]
