"""Videos: read back, whole or not at all, refusals in one line."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from environments.errors import UserError
from launch.video import Video, check_target
from tests.launch.commands import ROOT
from tests.launch.videos import read


def square(at: int) -> np.ndarray:
    picture = np.full((48, 64, 3), 30, np.uint8)
    picture[at : at + 16, at : at + 16] = (220, 40, 40)
    return picture


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".GIF"])
def test_is_read_back(tmp_path, suffix):
    path = tmp_path / "new" / f"v{suffix}"
    with Video(path, (48, 64), 20) as video:
        for at in range(12):
            video.write(square(at))
    assert video.frames == 12
    found = read(path)
    assert found.shape == (12, 48, 64, 3)
    for at, picture in enumerate(found):
        error = np.abs(picture.astype(int) - square(at)).mean()
        assert error < 6, f"picture {at} is off by {error} of 255"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_an_exception_leaves_what_was_there(tmp_path, suffix):
    path = tmp_path / f"v{suffix}"
    path.write_text("before")

    def fail():
        with Video(path, (48, 64), 20) as video:
            video.write(square(0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


def test_replaces_what_was_there(tmp_path):
    path = tmp_path / "v.mp4"
    path.write_text("before")
    with Video(path, (48, 64), 4) as video:
        video.write(square(0))
    assert len(read(path)) == 1


def test_odd_sizes_and_other_pictures_are_errors(tmp_path):
    with pytest.raises(ValueError, match="must be even, not 47 64"):
        Video(tmp_path / "v.mp4", (47, 64), 20)
    with (
        pytest.raises(ValueError, match="not a picture"),
        Video(tmp_path / "v.mp4", (48, 64), 20) as video,
    ):
        video.write(np.zeros((48, 48, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_refusals(tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").write_text("")
    for name, message in (
        ("v.avi", r"must end in \.mp4 or \.gif"),
        ("v", r"must end in \.mp4 or \.gif"),
        ("folder.mp4", "this is a folder"),
        ("file/v.mp4", "cannot write"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            check_target(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_an_encoder_that_dies_is_one_line(tmp_path):
    video = Video(tmp_path / "v.mp4", (48, 64), 20)

    def fill():
        with video:
            video.write(square(0))
            video._process.kill()

    with pytest.raises(UserError, match=r"cannot write .*v\.mp4: ffmpeg ended with status"):
        fill()
    assert not list(tmp_path.iterdir())


FILL = """
import sys
from pathlib import Path

import numpy as np

from environments.errors import UserError
from launch.video import Video

rng = np.random.default_rng(0)
for name in ("v.mp4", "v.gif"):
    path = Path(sys.argv[1]) / name
    try:
        with Video(path, (240, 320), 20) as video:
            for _ in range(60):
                video.write(rng.integers(0, 256, (240, 320, 3)).astype(np.uint8))
    except UserError as error:
        assert "no space left on device; free some space" in str(error), error
        assert "\\n" not in str(error)
    else:
        raise SystemExit("it was written")
    assert not list(path.parent.iterdir())
"""


def test_a_full_disk_is_one_line(tmp_path):
    if shutil.which("unshare") is None:
        pytest.skip("needs the program unshare (util-linux)")
    namespace = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
    trial = ("mount -t tmpfs -o size=40k none $1", "sh", str(tmp_path))
    if subprocess.run((*namespace, *trial), capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount file systems in a namespace")
    script = 'mount -t tmpfs -o size=40k none "$1" && exec "$2" -c "$3" "$1"'
    arguments = ("sh", str(tmp_path), sys.executable, FILL)
    done = subprocess.run(
        (*namespace, script, *arguments), capture_output=True, text=True, timeout=100, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
