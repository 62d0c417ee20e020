"""The pictures of a video: the scene if there is one, the board beside it, a caption below."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from environments.pictures import BACKGROUND

_TEXT, _FAINT, _GOOD, _BAD = (236, 236, 236), (150, 150, 156), (120, 214, 110), (236, 110, 96)


@dataclass(frozen=True)
class Caption:
    """What is written below the pictures."""

    title: str  # the game and who plays
    progress: str  # time or moves
    score: str
    outcome: str = ""  # once the episode has ended
    good: bool | None = None  # whether the outcome is; None if it is neither good nor bad


def frame_size(height: int, widths: list[int]) -> tuple[int, int]:
    """Height and width, both even, of a frame around pictures of this height and these widths."""
    gap = _gap(height)
    total = height + gap + _strip(height)
    width = sum(widths) + gap * (len(widths) + 1)
    return total + total % 2, width + width % 2


def compose(pictures: list[np.ndarray], caption: Caption) -> np.ndarray:
    """Pictures of one height side by side over a caption, `[*frame_size, 3] uint8`."""
    height, gap = pictures[0].shape[0], _gap(pictures[0].shape[0])
    total, width = frame_size(height, [picture.shape[1] for picture in pictures])
    frame = Image.new("RGB", (width, total), BACKGROUND)
    x = gap
    for picture in pictures:
        frame.paste(Image.fromarray(picture), (x, gap))
        x += picture.shape[1] + gap
    _write(ImageDraw.Draw(frame), caption, gap, gap + height, width - gap, total)
    return np.array(frame)


def _gap(height: int) -> int:
    return max(height // 40, 4)


def _strip(height: int) -> int:
    return max(height // 9, 40)


def _write(
    draw: ImageDraw.ImageDraw, caption: Caption, left: int, top: int, right: int, bottom: int
):
    """The title and below it the progress at the left, outcome and score at the right."""
    size = (bottom - top) // 3
    upper, lower = top + (bottom - top) * 0.36, top + (bottom - top) * 0.78
    large, small = _font(size), _font(max(size - 2, 9))
    draw.text((left, upper), caption.title, _TEXT, large, "lm")
    draw.text((left, lower), caption.progress, _FAINT, small, "lm")
    draw.text((right, lower), caption.score, _FAINT, small, "rm")
    colour = {True: _GOOD, False: _BAD, None: _TEXT}[caption.good]
    draw.text((right, upper), caption.outcome, colour, large, "rm")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
