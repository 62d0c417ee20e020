"""A run killed after its checkpoint and resumed leaves the files of one never killed."""

from launch.loggers import read_csv
from launch.run_folder import RunFolder
from launch.run_logger import RunLogger
from tests.launch.test_loggers import COLUMNS, _events, _row


def test_killed_and_resumed(tmp_path):
    whole, killed = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "killed")
    for run in (whole, killed):
        run.path.mkdir()
    logger = RunLogger(whole, COLUMNS)
    for i in range(6):
        logger.write(_row(i))
    logger.close()

    logger = RunLogger(killed, COLUMNS)
    for i in range(3):
        logger.write(_row(i))
    positions = logger.positions()
    logger.write(_row(3))
    logger.close()
    logger = RunLogger(killed, COLUMNS, positions)
    for i in range(3, 6):
        logger.write(_row(i))
    logger.close()

    assert killed.metrics.read_bytes() == whole.metrics.read_bytes()
    assert _events(killed.tensorboard) == _events(whole.tensorboard)
    texts = [run.log.read_text().splitlines() for run in (killed, whole)]
    assert [line[19:] for line in texts[0]] == [line[19:] for line in texts[1]]


def test_begun_anew(tmp_path):
    """A run that was killed before its first checkpoint begins again."""
    run = RunFolder(tmp_path)
    for _ in range(2):
        logger = RunLogger(run, COLUMNS)
        logger.write(_row(1))
        logger.close()
    assert read_csv(run.metrics) == [_row(1)]
    assert len(_events(run.tensorboard)) == 2
    assert len(run.log.read_text().splitlines()) == 1
