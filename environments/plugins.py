"""Plug-ins: modules of other distributions that register games, agents or experiments.

A distribution names such modules in its `pyproject.toml`, under the entry points
`moravec.plugins`; every process that looks a name up imports them first, wherever it runs.
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from environments.errors import UserError

GROUP = "moravec.plugins"
_imported: set[str] = set()


@cache
def _plugins() -> dict[str, EntryPoint]:
    """Of all that is installed, by module; looked for once in a process."""
    return {point.value: point for point in entry_points(group=GROUP)}


def load_plugins() -> None:
    """Imports each plug-in that has not been imported yet.

    Raises UserError, with the name of the module, if one cannot be imported.
    """
    for module, point in _plugins().items():
        if module in _imported:
            continue
        _imported.add(module)  # before, for a plug-in may look a name up itself
        try:
            point.load()
        except Exception as error:
            _imported.discard(module)
            owner = point.dist.name if point.dist else "an unknown distribution"
            line = " ".join(f"{type(error).__name__}: {error}".split())
            raise UserError(
                f"the plug-in {module} of {owner} cannot be imported ({line}): mend it, or "
                f"uninstall {owner}"
            ) from error
