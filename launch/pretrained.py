"""Policies that come with the repository: `pretrained:NAME` stands for a run folder anywhere.

Each is what is left of a run when its checkpoints and logs are dropped: `config.json`,
`policy.npz` and the curve, `metrics.csv`.
"""

from pathlib import Path

from environments.errors import unknown

PREFIX = "pretrained:"
_FOLDER = Path(__file__).resolve().parents[1] / "pretrained"


def names() -> tuple[str, ...]:
    """The names of all of them."""
    return tuple(sorted(path.parent.name for path in _FOLDER.glob("*/config.json")))


def is_pretrained(run: str | Path) -> bool:
    """Whether `run` names a policy that comes with the repository, in place of a folder."""
    return str(run).startswith(PREFIX)


def folder(run: str | Path) -> Path:
    """The folder of a run that is named by its folder or by `pretrained:NAME`.

    Raises UserError, with the nearest match, if no policy of that name comes along.
    """
    if not is_pretrained(run):
        return Path(run)
    name = str(run).removeprefix(PREFIX)
    if name not in names():
        raise unknown("pretrained policy", name, names())
    return _FOLDER / name
