"""The embodiment gap: each physical game beside its symbolic one, by what the player is given.

A run stands under one word for advice and one for senses: hinted if an expert tells it what to do,
unhinted if it plays from features without that; vision if it sees through a camera, else features.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agents.registry import name_of as agent_name
from environments.errors import UserError
from experiments import registry
from experiments.suites import SUITES
from launch.report.evaluations import Evaluated
from launch.report.runs import Run
from launch.report.summaries import Summary, summaries

SYMBOLIC = {"mujoban": "sokoban", "mujoxo": "tic_tac_toe", "mujogo": "go"}
COLUMNS = ("symbolic", "scripted", "hinted", "unhinted", "features", "vision")
_NO_POLICY = ("environment_model", "perception")  # agents that learn something else
_ENOUGH = 0.5  # of the frames that an experiment is meant to take


@dataclass(frozen=True)
class Row:
    """One game, played in one way on one suite; what differs in these is not to be compared."""

    game: str
    task: str  # "" for the whole game
    suite: str  # or level source, or opponent
    cells: dict[str, Summary]  # by column, the best label of each; empty ones are left out


def gaps(results: Iterable[Evaluated]) -> list[Row]:
    """A row for all that was evaluated alike, and an empty one for a game that never was.

    No row at all if no physical game was evaluated. A run counts once it has taken half of the
    frames of its experiment.
    """
    found: dict[tuple[str, str, str], dict[str, list[Evaluated]]] = {}
    for result in results:
        kinds = columns_of(result) if _counts(result) else ()
        for column in kinds:
            key = _key(result)
            cells = found.setdefault(key, {})
            named = replace(result, result=replace(result.result, suite=key[-1]))
            cells.setdefault(column, []).append(named)
    physical = {key: cells for key, cells in found.items() if set(cells) != {"symbolic"}}
    if not physical:
        return []
    rows = []
    for name in SYMBOLIC:
        of_game = sorted(key for key in physical if key[0] == name)
        if not of_game:  # a symbolic result stands there all the same
            of_game = sorted(key for key in found if key[0] == name) or [(name, "", "")]
        for key in of_game:
            cells = {column: _best(group) for column, group in found.get(key, {}).items()}
            rows.append(Row(*key, cells))
    return rows


def columns_of(evaluated: Evaluated) -> tuple[str, ...]:
    """The columns under which a result stands; none of what is no player of these games."""
    result, source = evaluated.result, evaluated.source
    if result.environment in SYMBOLIC.values():
        learns_to_play = source is not None and _plays(source)
        expert = source is None and result.run != "random"
        return ("symbolic",) if learns_to_play or expert else ()
    if result.environment not in SYMBOLIC:
        return ()
    if source is None:
        return ("scripted",) if result.run == "scripted" else ()
    if not _plays(source):
        return ()
    hints, sees = _hints(result.options), _sees(result.options)
    if hints.get("expert") and hints.get("kind") != "none":
        return ("hinted", "vision" if sees else "features")
    return ("vision",) if sees else ("unhinted", "features")


def _hints(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options of hints; empty if the environment has none, or an older version had not."""
    hints = options.get("hints")
    return hints if isinstance(hints, dict) else {}


def _sees(options: Mapping[str, Any]) -> bool:
    """Whether a camera has a size."""
    sizes = [size for name, size in options.items() if "camera" in name]
    return any(any(size) if isinstance(size, list) else bool(size) for size in sizes)


def _plays(run: Run) -> bool:
    return agent_name(run.experiment.agent) not in _NO_POLICY


def _counts(result: Evaluated) -> bool:
    """Whether a run is far enough; its own budget may have been cut short for a test."""
    run = result.source
    if run is None:
        return True
    try:
        budget = registry.load(run.experiment.name).max_frames
    except UserError:  # an experiment of the user's own
        budget = run.experiment.max_frames
    return result.frames - run.before >= _ENOUGH * budget


def _key(evaluated: Evaluated) -> tuple[str, str, str]:
    physical = {symbolic: name for name, symbolic in SYMBOLIC.items()}
    result, options = evaluated.result, evaluated.result.options
    game = physical.get(result.environment, result.environment)
    task = []
    if options.get("task", "game") != "game":
        task.append(str(options["task"]))
    if _hints(options).get("single"):
        task.append("one move")
    if "size" in options:
        task.append(f"{options['size']}x{options['size']}")
    suite = result.suite or str(options.get("opponent", options.get("levels", "")))
    return game, ", ".join(task), suite if "opponent" in options else _levels(suite)


def _levels(suite: str) -> str:
    """One name for a registered suite and its level source."""
    names = {known.levels: name for name, known in SUITES.items()}
    return names.get(suite, suite)


def _best(group: Iterable[Evaluated]) -> Summary:
    return max(summaries(group), key=lambda summary: summary.rate)
