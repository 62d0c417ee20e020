"""What is known of a video in a run folder: how its episodes ended, as JSON beside it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from launch import files
from launch.run_folder import RunFolder

SUFFIXES = (".mp4", ".gif", ".png")


@dataclass(frozen=True)
class Clip:
    """A video, or a picture."""

    path: Path
    outcomes: tuple[str, ...]  # of its episodes, "" of one that was left; () if they are not known
    successes: tuple[bool, ...]  # which of them were
    imagined: bool  # whether it shows what a model imagines
    modified: float = 0.0  # when, seconds since the epoch

    @property
    def kind(self) -> str:
        """Successes, failures, both, or not known."""
        if not self.successes:
            return "unknown"
        if all(self.successes):
            return "successes"
        return "both" if any(self.successes) else "failures"


def write(clip: Clip) -> None:
    """Says how the episodes of a video, which is there, ended. Raises UserError if it cannot."""
    note = asdict(clip)
    del note["path"], note["modified"]
    files.atomic_write(_note(clip.path), json.dumps(note) + "\n")


def forget(video: Path) -> None:
    """Removes what is known of a video that is about to be replaced."""
    with files.writing(_note(video)):
        _note(video).unlink(missing_ok=True)


def clips(run: RunFolder) -> list[Clip]:
    """Those in the run folder, the newest first."""
    paths = [path for path in run.videos.glob("*") if path.suffix.lower() in SUFFIXES]
    shown = [path for path in paths if not path.name.startswith(".")]
    return sorted(map(_read, shown), key=lambda clip: -clip.modified)


def _note(video: Path) -> Path:
    return video.with_name(video.name + ".json")


def _read(video: Path) -> Clip:
    modified = video.stat().st_mtime
    try:
        note = json.loads(_note(video).read_text())
        outcomes, successes = tuple(map(str, note["outcomes"])), tuple(map(bool, note["successes"]))
        return Clip(video, outcomes, successes, bool(note["imagined"]), modified)
    except (OSError, ValueError, KeyError, TypeError):
        return Clip(video, (), (), False, modified)
