"""Writes pictures as a video, MP4 (H.264) or GIF, that is there whole or not at all."""

import errno
import os
import subprocess
import tempfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from environments.errors import UserError
from launch import files

SUFFIXES = (".mp4", ".gif")
_TIMEOUT = 600  # seconds that ffmpeg may take to finish
# Every player knows 4:2:0; it halves the resolution of colours, so sides must be even.
_MP4 = (
    "-vcodec",
    "libx264",
    "-crf",
    "20",
    "-preset",
    "veryfast",
    "-pix_fmt",
    "yuv420p",
    "-movflags",
    "+faststart",
)
_LOSSLESS = ("-vcodec", "libx264rgb", "-qp", "0", "-preset", "ultrafast")
_PALETTE = "palettegen=max_colors=128:stats_mode=full"
_DRAW = "paletteuse=dither=none:diff_mode=rectangle"


def check_target(path: Path) -> None:
    """Makes the folder of `path`. Raises UserError if a video cannot be written there."""
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"--out {path}: the name must end in {' or '.join(SUFFIXES)}")
    if path.is_dir():
        raise UserError(f"--out {path}: this is a folder; name a file in it")
    with files.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass


class Video:
    """A video file that takes one picture after the other; a context manager.

    It appears under its name when the context ends well; an exception leaves what was there.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float):
        """`size` is height and width, both even; `fps` pictures make a second.

        Raises ValueError for an odd size, UserError for a suffix that is not in SUFFIXES.
        """
        check_target(path)
        if size[0] % 2 or size[1] % 2:
            raise ValueError(f"height and width must be even, not {size[0]} {size[1]}")
        self.frames, self.fps = 0, fps
        self._path, self._size = path, size
        self._gif = path.suffix.lower() == ".gif"
        stem = f".{path.name}.{os.getpid()}.tmp"
        self._raw = path.with_name(stem + (".mkv" if self._gif else ".mp4"))
        self._palette, self._drawn = path.with_name(stem + ".png"), path.with_name(stem + ".gif")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as the process
        rate = str(Fraction(fps).limit_denominator(1000))
        self._process = self._start(
            ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[1]}x{size[0]}", "-r", rate),
            ("-i", "-", "-an", *(_LOSSLESS if self._gif else _MP4), str(self._raw)),
        )

    def write(self, picture: np.ndarray) -> None:
        """Adds a picture, `[height, width, 3] uint8`. Raises UserError if the disk is full."""
        if picture.shape != (*self._size, 3) or picture.dtype != np.uint8:
            raise ValueError(f"not a picture of {self._size}: {picture.dtype} {picture.shape}")
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(picture).data)
        except BrokenPipeError:
            self._finish(self._process)  # says why ffmpeg has ended
            raise
        self.frames += 1

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        try:
            if kind is None:
                self._finish(self._process)
                if self._gif:
                    self._draw_gif()
                with files.writing(self._path):
                    finished = self._drawn if self._gif else self._raw
                    files.sync(finished)
                    os.replace(finished, self._path)
        finally:
            self._process.kill()
            _close(self._process)
            self._process.wait()
            self._log.close()
            for temporary in (self._raw, self._palette, self._drawn):
                temporary.unlink(missing_ok=True)

    def _draw_gif(self) -> None:
        """The colours that the whole video needs first, then the pictures in them."""
        raw, palette = str(self._raw), str(self._palette)
        self._finish(self._start(("-i", raw), ("-vf", _PALETTE, "-frames:v", "1", palette)))
        self._finish(self._start(("-i", raw, "-i", palette), ("-lavfi", _DRAW, str(self._drawn))))

    def _start(self, source: tuple[str, ...], result: tuple[str, ...]) -> subprocess.Popen:
        command = (imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *source, *result)
        # In a session of its own: an interrupt is ours to handle.
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=self._log, start_new_session=True
        )

    def _finish(self, process: subprocess.Popen) -> None:
        """Waits for ffmpeg. Raises UserError if it fails, for want of disk space say."""
        _close(process)
        try:
            status = process.wait(_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise UserError(f"ffmpeg did not finish {self._path} in {_TIMEOUT} s") from None
        if status:
            self._log.seek(0)
            said = self._log.read().decode(errors="replace").strip()
            if os.strerror(errno.ENOSPC) in said:
                with files.writing(self._path):
                    raise OSError(errno.ENOSPC, "")
            reason = said.splitlines()[-1] if said else f"ffmpeg ended with status {status}"
            raise UserError(f"cannot write {self._path}: {reason}")


def _close(process: subprocess.Popen) -> None:
    """Ends what a process reads; it may have gone already."""
    with suppress(BrokenPipeError):
        if process.stdin is not None:
            process.stdin.close()
