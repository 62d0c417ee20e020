"""Other people's packages that are called like ours."""

from pathlib import Path

WRONG = "this is another project's"


def plant(folder: Path) -> Path:
    """Makes such packages in `folder`, which complain when they are imported; returns it."""
    for name in ("agents", "environments", "experiments", "launch"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise ImportError({WRONG!r})\n")
    return folder
