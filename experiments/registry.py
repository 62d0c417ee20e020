"""Names of experiments, registered by decorator; importing this loads no JAX."""

import importlib
from collections.abc import Callable

from environments.errors import unknown
from environments.plugins import load_plugins
from experiments.base import Experiment

# Each of these registers experiments when imported. A new file of experiments adds its line.
_REGISTRATIONS = (
    "experiments.sokoban",
    "experiments.models",
    "experiments.imagination",
    "experiments.minipacman",
    "experiments.mujoban",
    "experiments.mujoxo",
    "experiments.board_games",
    "experiments.perception",
)

DEFAULT = "sokoban_small"

_experiments: dict[str, Callable[[], Experiment]] = {}


def register(function: Callable[[], Experiment]) -> Callable[[], Experiment]:
    """Registers an experiment under the name of its function; its docstring is the summary."""
    if function.__name__ in _experiments:
        raise ValueError(f"experiment {function.__name__!r} is registered twice")
    _experiments[function.__name__] = function
    return function


def experiments() -> dict[str, Callable[[], Experiment]]:
    """All registered experiments by name. Raises UserError if a plug-in fails."""
    for module in _REGISTRATIONS:
        importlib.import_module(module)
    load_plugins()
    return dict(_experiments)


def load(name: str) -> Experiment:
    """The experiment called `name`. Raises UserError, with the nearest match, if there is none."""
    known = experiments()
    if name not in known:
        raise unknown("experiment", name, known)
    return known[name]()
