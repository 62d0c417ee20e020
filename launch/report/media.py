"""Videos and pictures in run folders, chosen for a page that must not become too large."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.clips import Clip, clips
from launch.report.runs import Run
from launch.run_folder import RunFolder

_NEWEST = 2  # of a label and a kind
_TYPES = {".mp4": "video/mp4", ".gif": "image/gif", ".png": "image/png"}


@dataclass(frozen=True)
class Shown:
    """A clip as it stands in the page."""

    label: str
    clip: Clip
    uri: str  # data:...

    @property
    def is_video(self) -> bool:
        """Whether a browser plays it as a video, and not as a picture."""
        return self.uri.startswith("data:video")

    @property
    def caption(self) -> str:
        """Whose it is, how its episodes ended, and where it lies."""
        ended = ", ".join(outcome or "left before its end" for outcome in self.clip.outcomes)
        return f"{self.label}: {ended or 'how it ended is not recorded'} ({self.clip.path})"


def choose(runs: Sequence[Run], budget: int) -> tuple[list[Shown], list[Path]]:
    """The newest of each label and kind, in at most `budget` characters of the page.

    Returns:
      What is shown, by label as the runs are; and the clips that did not fit.
    """
    ranked = sorted(_ranked(runs), key=lambda each: each[0])
    shown, left_out = [], []
    for _, label, clip in ranked:
        try:
            size = clip.path.stat().st_size
            if 4 * size / 3 + 100 > budget:
                left_out.append(clip.path)
                continue
            uri = data_uri(clip.path.read_bytes(), _TYPES[clip.path.suffix.lower()])
        except OSError:  # removed meanwhile, or not ours to read
            left_out.append(clip.path)
            continue
        budget -= len(uri)
        shown.append(Shown(label, clip, uri))
    order = list(dict.fromkeys(run.label for run in runs))
    return sorted(shown, key=lambda each: order.index(each.label)), left_out


def _ranked(runs: Sequence[Run]) -> list[tuple[int, str, Clip]]:
    """The clips that may be shown; the newest of each label and kind have the first rank, 0."""
    found: dict[tuple[str, str], list[Clip]] = {}
    for run in runs:
        for clip in clips(RunFolder(run.path)):
            found.setdefault((run.label, clip.kind), []).append(clip)
    return [
        (rank, label, clip)
        for (label, _), group in found.items()
        for rank, clip in enumerate(sorted(group, key=lambda clip: -clip.modified)[:_NEWEST])
    ]


def data_uri(data: bytes, mime: str) -> str:
    """A file as an address that holds it."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
