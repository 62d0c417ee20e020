"""Reads videos back, by ffmpeg."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np


def read(path: Path) -> np.ndarray:
    """All pictures of a video, `[N, height, width, 3] uint8`."""
    command = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path))
    # Every picture has its size before it; none is dropped or doubled.
    form = ("-fps_mode", "passthrough", "-f", "image2pipe", "-vcodec", "ppm", "-")
    raw = subprocess.run((*command, *form), capture_output=True, check=True, timeout=60).stdout
    pictures = []
    while raw:
        magic, size, depth, raw = raw.split(b"\n", 3)
        assert (magic, depth) == (b"P6", b"255")
        width, height = map(int, size.split())
        count = width * height * 3
        pictures.append(np.frombuffer(raw[:count], np.uint8).reshape(height, width, 3))
        raw = raw[count:]
    return np.stack(pictures)
