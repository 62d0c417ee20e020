"""A file is replaced whole or not at all."""

import os
import resource
import tempfile
from pathlib import Path

import pytest

from environments.errors import UserError
from launch import files


def test_replaces(tmp_path):
    path = tmp_path / "a.json"
    files.atomic_write(path, "one")
    files.atomic_write(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a.json"]


def test_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    files.atomic_write(path, "old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(UserError, match=f"cannot write {path}: file too large; raise"):
            files.atomic_write(path, "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_link_or_copy(tmp_path):
    """Memory is another file system, to which there are no links."""
    source = tmp_path / "a"
    source.write_text("one")
    files.link_or_copy(source, tmp_path / "linked")
    assert os.path.samefile(source, tmp_path / "linked")
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one file system only")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        files.link_or_copy(source, Path(folder) / "copied")
        assert (Path(folder) / "copied").read_text() == "one"
    with pytest.raises(UserError, match=r"cannot write .*no such file or directory"):
        files.link_or_copy(source, tmp_path / "missing" / "a")


def test_missing_folder(tmp_path):
    with pytest.raises(UserError, match="no such file or directory"):
        files.atomic_write(tmp_path / "missing" / "a.json", "x")


@pytest.mark.parametrize(
    "message",
    [
        "RESOURCE_EXHAUSTED: Error writing: No space left on device [os_error_code='28']",
        "RESOURCE_EXHAUSTED: Error writing: No space left on device [OS error 28: ENOSPC]",
    ],
)
def test_a_full_disk_that_an_array_store_reports(tmp_path, message):
    with (
        pytest.raises(UserError, match="no space left on device; free some space"),
        files.writing(tmp_path),
    ):
        raise ValueError(message)


def test_other_errors_pass(tmp_path):
    with pytest.raises(ValueError, match="other"), files.writing(tmp_path):
        raise ValueError("other")
