"""The README's table of environments, from the code: `python -m tests.environments.table`."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from dm_env import specs

from environments import entries, load
from environments.embedded.boards.embedding import REWARDS
from environments.embedded.boards.registration import BoardOptions
from environments.embedded.environment import EmbeddedEnvironment
from environments.games.board.environment import BoardEnvironment
from environments.games.board.spec import REWARDS as SYMBOLIC
from environments.games.minipacman.modes import MODES
from environments.games.sokoban import rules

BOXOBAN = Path(__file__).parents[1] / "data" / "boxoban" / "unfiltered" / "valid"
HEADER = (
    "| environment | default observation | action | reward | time limit | opponent |\n"
    "|---|---|---|---|---|---|"
)
_BOXES = f"{rules.BOX_REWARD:+g} / {-rules.BOX_REWARD:+g} a box on / off a target"
_SOLVED = f"{rules.SOLVED_REWARD:+g} when all are on"
_BOARD = ", ".join(f"{outcome} {reward:g}" for outcome, reward in REWARDS.items()) + ", at the end"
_SYMBOLIC = ", ".join(f"{outcome} {SYMBOLIC[outcome]:g}" for outcome in REWARDS) + ", at the end"
REWARD = {
    "sokoban": f"{rules.STEP_REWARD:g} a step, {_BOXES}, {_SOLVED}",
    "tic_tac_toe": _SYMBOLIC,
    "go": _SYMBOLIC,
    "mujoban": f"{_BOXES}, {_SOLVED}",
    "minipacman": ", ".join(
        f"{getattr(MODES['regular'], what):+g} {what}" for what in ("food", "pill", "ghost")
    )
    + "; four other modes",
}


def table() -> str:
    """The table in Markdown, a row for every registered environment."""
    return "\n".join([HEADER, *map(row, entries())])


def row(name: str) -> str:
    """The row of the environment called `name`, with its default options."""
    levels: dict[str, Any] = {"levels": str(BOXOBAN)} if "levels" in entries()[name].tags else {}
    environment: Any = load(name, **levels)
    options = entries()[name].options()
    columns = (
        f"`{name}` v{entries()[name].version}",
        observation(environment.observation_spec()),
        action(environment.action_spec()),
        _BOARD if isinstance(options, BoardOptions) else REWARD[name],
        limit(environment, options),
        f"`{options.opponent}`" if hasattr(options, "opponent") else "",  # pyright: ignore
    )
    environment.close()
    return "| " + " | ".join(columns) + " |"


def observation(spec: dict[str, specs.Array]) -> str:
    """Every key with its shape; those of one part of the scene as one."""
    shown = []
    for prefix, keys in itertools.groupby(spec, key=lambda key: key.split("/")[0]):
        group = list(keys)
        if len(group) > 1:
            shown.append(f"`{prefix}/…` ({len(group)} keys)")
        else:
            shown.append(f"`{group[0]}` {list(spec[group[0]].shape)}")
    return ", ".join(shown)


def action(spec: specs.Array) -> str:
    """How many actions, or how many numbers within which bounds."""
    if isinstance(spec, specs.DiscreteArray):
        return f"one of {spec.num_values}"
    assert isinstance(spec, specs.BoundedArray)
    bounds = [f"±{bound:.2g}" for bound in np.broadcast_to(spec.maximum, spec.shape)]
    return f"{spec.shape[0]} numbers: " + ", ".join(
        f"{sum(1 for _ in same)} in {bound}" for bound, same in itertools.groupby(bounds)
    )


def limit(environment: Any, options: Any) -> str:
    """When an episode is cut off."""
    if isinstance(environment, EmbeddedEnvironment):
        step = environment.simulation.control_step
        return f"{environment.time_limit:g} s in steps of {step:g} s"
    if isinstance(environment, BoardEnvironment):
        return f"{options.time_limit} moves" if options.time_limit else ""
    if not hasattr(options, "time_limit"):
        return f"{environment.snapshot().limit} steps"
    low, high = options.time_limit
    return f"{low} steps" if low == high else f"{low} to {high} steps"


if __name__ == "__main__":
    print(table())
