"""Levels drawn by hand, written where `load` finds them."""

from pathlib import Path

HALL = ("##########", *["#        #"] * 5, "#   @    #", "#        #", "#$      .#", "##########")


def write_levels(folder: Path, *levels) -> str:
    """A level file of these levels, each a sequence of rows; its path."""
    path = folder / "levels.txt"
    path.write_text("\n\n".join(f"; {i}\n" + "\n".join(rows) for i, rows in enumerate(levels)))
    return str(path)
