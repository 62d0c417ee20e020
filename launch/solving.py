"""`moravec levels solve`: solves levels with the fewest moves, and writes their solutions."""

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Annotated, Any

import tyro

from environments.errors import UserError
from environments.games.sokoban import rules
from environments.games.sokoban.level import Level
from environments.games.sokoban.sources import load_levels
from environments.progress import progress
from launch.files import atomic_write, check_new_file
from launch.platforms import cores

_LETTERS = "udlr"  # by action


@dataclass
class _Tally:
    """What has been found so far."""

    moves: list[int] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    without: dict[str, list[int]] = field(default_factory=lambda: {"unsolvable": [], "gave_up": []})


def solve(
    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")],
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    seconds: float = 60.0,
    as_json: Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff] = False,
) -> None:
    """Solve levels with the fewest moves, or prove that they cannot be solved.

    Args:
        source: boxoban:SET/SPLIT, generated:..., or a path.
        out: Write the solutions to this file, which must not exist: a line for each level, moves
            as u d l r, pushes as U D L R; empty if there is no solution.
        seconds: Give up on a level after so long; it is also given up if it takes too much memory.
        as_json: Print one JSON document.
    """
    if not seconds > 0:
        raise UserError(f"--seconds must be more than 0, not {seconds:g}")
    check_new_file(out, (".txt", ".lurd"))
    levels = load_levels(source)
    begin, tally = time.perf_counter(), _Tally()
    with progress("solving", len(levels)) as advance:
        _solve(levels, seconds, tally, advance)
    took = time.perf_counter() - begin
    if out is not None:
        atomic_write(out, "".join(f"{line}\n" for line in tally.lines))
    height, width = levels.shape
    found = {
        "source": source,
        "levels": len(levels),
        "height": height,
        "width": width,
        "solved": len(tally.moves),
        "unsolvable": len(tally.without["unsolvable"]),
        "gave_up": len(tally.without["gave_up"]),
        "unsolvable_levels": tally.without["unsolvable"],
        "gave_up_levels": tally.without["gave_up"],
        "moves": _figures(tally.moves),
        "seconds": round(took, 3),
        "out": None if out is None else str(out),
    }
    print(json.dumps(found)) if as_json else _show(found)


def _solve(levels: Any, seconds: float, tally: _Tally, advance: Any) -> None:
    from environments.players.sokoban.batch import solve_all

    print(f"solving {len(levels)} levels", file=sys.stderr)
    said = time.monotonic()
    for index, solution in enumerate(solve_all(levels, threads=cores(), seconds=seconds)):
        if solution.status == "solved":
            tally.moves.append(len(solution.actions))
        else:
            tally.without[solution.status].append(index)
        tally.lines.append(lurd(levels[index], solution.actions))
        advance(1)
        if time.monotonic() - said > 5 and not sys.stderr.isatty():
            print(f"  {index + 1} of {len(levels)} levels", file=sys.stderr)
            said = time.monotonic()


def lurd(level: Level, actions: Iterable[int]) -> str:
    """A plan in the notation of Sokoban players: u d l r for a move, U D L R for a push."""
    state, letters = rules.initial_state(level), []
    for action in actions:
        after = rules.apply(state, action)
        pushes = after.boxes is not state.boxes
        letters.append(_LETTERS[action].upper() if pushes else _LETTERS[action])
        state = after
    return "".join(letters)


def _figures(moves: list[int]) -> dict[str, float] | None:
    if not moves:
        return None
    return {"median": median(moves), "mean": mean(moves), "min": min(moves), "max": max(moves)}


def _show(found: dict[str, Any]) -> None:
    print(found["source"])
    print(f"  levels      {found['levels']}")
    print(f"  solved      {found['solved']}")
    for name, label in (("unsolvable", "unsolvable"), ("gave_up", "gave up")):
        which = found[f"{name}_levels"]
        named = f": levels {', '.join(map(str, which))} (the first is 0)" if which else ""
        print(f"  {label:<10}  {len(which)}{named}")
    if moves := found["moves"]:
        print(f"  moves       {moves['median']:g} in the median, {moves['max']} at most")
    print(f"  time        {found['seconds']:.1f} s")
    if found["out"]:
        print(f"{found['solved']} solutions written to {found['out']}", file=sys.stderr)
