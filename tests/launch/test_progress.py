"""The display shows what matters, without control characters where there is no terminal."""

import io
import os
import pty
import subprocess
import sys

import jax.numpy as jnp
import pytest

from launch import progress

ROW = {
    "frames": 420_000,
    "seconds": 100.0,
    "frames_per_second": 4321.0,
    "success_rate": jnp.float32(0.815),
    "episode_return": -3.25,
    "entropy": 0.5,
    "policy_loss": 0.1,
}


def test_describe():
    line = progress.describe(ROW | {"evaluation/held-out": 0.9}, 1_000_000)
    expected = "420k/1M frames, 4.32k/s, success 0.81, return -3.25, entropy 0.50, evaluation 0.90"
    assert line == expected
    assert progress.describe({"frames": 0}, 999) == "0/999 frames"


@pytest.mark.parametrize(
    ("row", "max_seconds", "expected"),
    [
        (ROW, 0.0, "0:02:14 left"),
        (ROW, 130.0, "0:00:30 left"),
        (ROW | {"frames": 2e6}, 0.0, "0:00:00 left"),
        ({"frames": 3, "seconds": 1}, 0.0, ""),
        ({"frames": 3, "frames_per_second": 0.0}, 0.0, ""),
    ],
)
def test_time_left(row, max_seconds, expected):
    assert progress.time_left(row, 1_000_000, max_seconds) == expected


def test_lines_come_every_few_seconds():
    stream, now = io.StringIO(), [0.0]
    lines = progress.Lines(1_000_000, 0.0, stream, clock=lambda: now[0])
    lines.say("compiling")
    for i in range(12):
        now[0] = float(i)
        lines.write({"frames": i * 1000})
    assert stream.getvalue().splitlines() == [
        "compiling",
        "0/1M frames",
        "5k/1M frames",
        "10k/1M frames",
    ]
    lines.say("evaluating")
    lines.close()
    lines.close()
    assert stream.getvalue().splitlines()[4:] == ["11k/1M frames", "evaluating"]


def test_an_evaluation_stays_until_the_next():
    stream = io.StringIO()
    lines = progress.Lines(1_000_000, 0.0, stream)
    lines.write({"frames": 1, "evaluation/a": 0.25})
    lines.write({"frames": 2})
    lines.close()
    assert stream.getvalue().splitlines()[-1] == "2/1M frames, evaluation 0.25"


def test_what_is_chosen(capsys):
    assert type(progress.display(10, stream=io.StringIO())) is progress.Lines
    shown = progress.display(10, quiet=True)
    shown.say("compiling")
    shown.write(ROW)
    shown.close()
    assert capsys.readouterr() == ("", "")


SHOW = """
import sys
from launch import progress
shown = progress.display(1_000_000)
shown.say("compiling")
shown.write({"frames": 500_000, "frames_per_second": 1000.0, "success_rate": 0.75})
print('{"json": 1}')
print("a warning", file=sys.stderr)
shown.close()
"""


def _show(stderr: int) -> bytes:
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-c", SHOW]
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=stderr, env=environment, check=True
    ).stdout


def test_pipe(tmp_path):
    with open(tmp_path / "stderr", "wb") as file:
        assert _show(file.fileno()) == b'{"json": 1}\n'
    text = (tmp_path / "stderr").read_text()
    expected = "500k/1M frames, 1k/s, success 0.75, 0:08:20 left\n"
    assert text == f"compiling\n{expected}a warning\n"


def test_terminal():
    ours, theirs = pty.openpty()
    try:
        assert _show(theirs) == b'{"json": 1}\n'
        os.set_blocking(ours, False)
        text = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    for expected in ("500k/1M frames", "success 0.75", "50%", "0:08:20 left", "a warning"):
        assert expected in text
    assert text.rstrip().endswith("\x1b[?25h")  # the cursor is back


def test_numbers_that_have_grown_are_told_now_and_then(monkeypatch):
    now, told = [100.0], []
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    report = progress.now_and_then(told.append, 2.0)
    for number, seconds in ((0, 0.0), (1, 0.0), (2, 1.9), (2, 2.0), (2, 9.0), (3, 9.0)):
        now[0] = 100.0 + seconds
        report(number)
    assert told == [1, 2, 3]
