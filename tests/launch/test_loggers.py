"""Rows arrive exactly, resume neither doubles nor loses one, a full disk is told in one line."""

import contextlib
import os
import resource
import struct
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]

from environments.errors import UserError
from launch.loggers import CSVLogger, MultiLogger, TextLogger, read_csv
from launch.tensorboard import TensorBoardLogger

COLUMNS = ("frames", "seconds", "success_rate", "evaluation/generated:size=6,boxes=1")


def _row(i: int) -> dict[str, float]:
    return {"frames": i * 100, "seconds": 2.0 * i, "success_rate": 1 / (i + 3)}


def _events(folder: Path) -> list[tuple[int, str, float]]:
    """All scalars in the event files: records of length, its sum, data, its sum."""
    found = []
    for file in folder.iterdir():
        raw = file.read_bytes()
        while raw:
            (length,) = struct.unpack("<Q", raw[:8])
            event = Event.FromString(raw[12 : 12 + length])
            found += [(event.step, v.tag, v.simple_value) for v in event.summary.value]
            raw = raw[16 + length :]
    return found


def test_csv_keeps_every_bit(tmp_path):
    path = tmp_path / "metrics.csv"
    values = [0.1, 1e-300, -0.0, float("inf"), np.float32(0.1), jnp.float32(1 / 3), np.float64(2)]
    logger = CSVLogger(path, ["frames", "x"])
    for i, value in enumerate(values):
        logger.write({"frames": jnp.uint32(i), "x": value})
    logger.write({"frames": 2**40, "x": float("nan")})
    logger.close()
    assert path.read_text().startswith("frames,x\n0,0.1\n1,1e-300\n")
    rows = read_csv(path)
    assert [row["x"] for row in rows[:-1]] == [float(value) for value in values]
    assert rows[-1]["frames"] == 2**40
    assert np.isnan(rows[-1]["x"])


def test_csv_columns(tmp_path):
    path = tmp_path / "metrics.csv"
    logger = CSVLogger(path, COLUMNS)
    logger.write(_row(1))
    logger.write(_row(2) | {COLUMNS[3]: 0.5})
    with pytest.raises(ValueError, match="'other'"):
        logger.write(_row(3) | {"other": 1})
    logger.close()
    assert read_csv(path) == [_row(1), _row(2) | {COLUMNS[3]: 0.5}]


def test_rows_are_there_when_the_process_is_killed(tmp_path):
    logger = CSVLogger(tmp_path / "metrics.csv", COLUMNS)
    logger.write(_row(1))
    assert read_csv(tmp_path / "metrics.csv") == [_row(1)]  # neither flushed nor closed
    logger.close()


def test_resume_cuts_the_rows_after_the_checkpoint(tmp_path):
    whole, killed = tmp_path / "whole.csv", tmp_path / "killed.csv"
    logger = CSVLogger(whole, COLUMNS)
    for i in range(6):
        logger.write(_row(i))
    logger.close()

    logger = CSVLogger(killed, COLUMNS)
    for i in range(3):
        logger.write(_row(i))
    position = logger.position()
    for i in range(3, 5):
        logger.write(_row(i))
    with open(killed, "ab") as file:
        file.write(b"500,1")  # cut off in the middle
    logger.close()
    logger = CSVLogger(killed, COLUMNS, position)
    for i in range(3, 6):
        logger.write(_row(i))
    logger.close()
    assert killed.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("left", ["frames,sec", None])
def test_resume_goes_on_when_the_file_is_damaged_or_gone(tmp_path, caplog, left):
    path = tmp_path / "metrics.csv"
    logger = CSVLogger(path, COLUMNS)
    for i in range(3):
        logger.write(_row(i))
    position = logger.position()
    logger.close()
    if left is None:
        path.unlink()
    else:
        os.truncate(path, position - 3)  # in the middle of the last row
    logger = CSVLogger(path, COLUMNS, position)
    logger.write(_row(3))
    logger.close()
    assert "has lost rows" in caplog.text
    assert read_csv(path) == ([_row(3)] if left is None else [_row(0), _row(1), _row(3)])


def test_resume_with_other_columns_is_told(tmp_path):
    path = tmp_path / "metrics.csv"
    logger = CSVLogger(path, COLUMNS)
    position = logger.position()
    logger.close()
    before = path.read_bytes()
    with pytest.raises(UserError, match="other columns"):
        CSVLogger(path, COLUMNS[:2], position)
    assert path.read_bytes() == before


def test_text(tmp_path):
    path = tmp_path / "log.txt"
    logger = TextLogger(path)
    logger.message("training sokoban_small")
    position = logger.position()
    logger.write(_row(1))
    logger.close()
    first, second = path.read_text().splitlines()
    assert first.endswith("  training sokoban_small")
    assert second.endswith("  frames 100  seconds 2  success_rate 0.25")
    logger = TextLogger(path, position)
    logger.message("resumed")
    logger.close()
    assert path.read_text().startswith(first + "\n")
    assert len(path.read_text().splitlines()) == 2


def test_tensorboard_is_rebuilt_without_doubles(tmp_path):
    logger = TensorBoardLogger(tmp_path)
    for i in range(4):
        logger.write(_row(i))
    logger.close()
    logger = TensorBoardLogger(tmp_path, [_row(0), _row(1)])
    logger.write(_row(2) | {COLUMNS[3]: jnp.float32(0.5)})
    expected: list[tuple[int, str, float]] = [
        (i * 100, name, float(np.float32(_row(i)[name])))
        for i in range(3)
        for name in ("seconds", "success_rate")
    ]
    expected.append((200, "evaluation/generated_size_6_boxes_1", 0.5))
    assert _events(tmp_path) == expected  # written, though not yet closed
    logger.close()


def test_one_logger_that_fails_leaves_the_others_closed(tmp_path):
    class Broken:
        def write(self, row): ...
        def flush(self): ...
        def close(self):
            raise UserError("cannot write")

    last = CSVLogger(tmp_path / "metrics.csv", COLUMNS)
    several = MultiLogger([Broken(), last])
    several.write(_row(1))
    several.flush()
    with pytest.raises(UserError, match="cannot write"):
        several.close()
    with pytest.raises(ValueError, match="closed file"):
        last.write(_row(2))


@pytest.fixture
def small_files():
    """No file may grow beyond 2000 bytes, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("kind", ["csv", "text", "tensorboard"])
def test_full_disk(tmp_path, small_files, kind):
    path = tmp_path / kind
    logger = {
        "csv": lambda: CSVLogger(path, COLUMNS),
        "text": lambda: TextLogger(path),
        "tensorboard": lambda: TensorBoardLogger(path),
    }[kind]()

    def fill():
        for i in range(1000):
            logger.write(_row(i))

    with pytest.raises(UserError, match=f"cannot write {path}: file too large"):
        fill()
    with contextlib.suppress(UserError):  # TensorBoard's tries again to write the last row
        logger.close()
    if kind == "csv":
        rows = read_csv(path)  # whole rows only
        assert rows == [_row(i) for i in range(len(rows))]
        assert len(rows) > 10
