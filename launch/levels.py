"""`moravec levels`: makes, packs, checks and solves Sokoban levels."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from environments.errors import UserError
from environments.games.sokoban.generated import EXAMPLE
from environments.games.sokoban.level import LevelSet, unpack_bits
from environments.games.sokoban.level_files import PACKED
from environments.games.sokoban.packed import pack_levels
from environments.games.sokoban.reading import joined, summary
from environments.games.sokoban.sources import load_levels, readings
from environments.games.sokoban.text import format_level, format_levels
from launch.files import atomic_write, check_new_file
from launch.solving import solve

_TEXT_SUFFIXES = (".txt", ".xsb")
_Source = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
_Out = tyro.conf.arg(metavar="FILE")
_Strict = Annotated[bool, tyro.conf.FlagCreatePairsOff]
_Json = Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff]


def main(args: list[str]) -> int:
    """Runs `moravec levels ARGS`; returns the exit status. A user's mistake raises UserError."""
    tyro.extras.subcommand_cli_from_dict(
        {"generate": generate, "pack": pack, "check": check, "solve": solve},
        prog="moravec levels",
        description="Make, pack, check and solve Sokoban levels.",
        args=args,
        sort_subcommands=False,
    )
    return 0


def generate(
    source: _Source, out: Annotated[Path | None, _Out] = None, as_json: _Json = False
) -> None:
    """Generate levels and write them to a file, or print them.

    Args:
        source: generated:size=S,boxes=B,count=N,seed=K[,split=train|held_out]
        out: The file to write, FILE.levels (packed) or FILE.txt; it must not exist.
        as_json: Print one JSON document.
    """
    if not source.startswith("generated:"):
        raise UserError(
            f"{source!r} is nothing to generate: write {EXAMPLE}, or use `moravec levels pack`"
        )
    check_new_file(out, (PACKED, *_TEXT_SUFFIXES))
    levels = load_levels(source)
    if out is not None:
        _write(levels, out, as_json)
    elif as_json:
        boards = [format_level(level).splitlines() for level in levels]
        print(json.dumps({**_summary(levels), "boards": boards}))
    else:
        sys.stdout.write(format_levels(levels))


def pack(source: _Source, out: Annotated[Path, _Out], as_json: _Json = False) -> None:
    """Pack levels into one binary file: 25 bytes for each level of 10x10.

    Args:
        source: boxoban:SET/SPLIT, generated:..., or a path.
        out: The file to write, FILE.levels; it must not exist.
        as_json: Print one JSON document.
    """
    check_new_file(out, (PACKED,))
    _write(load_levels(source), out, as_json)


def check(source: _Source, strict: _Strict = False, as_json: _Json = False) -> None:
    """Count what there is in a source, and list what cannot be used, with its place and why.

    Args:
        source: boxoban:SET/SPLIT, generated:..., or a path.
        strict: Refuse a source in which anything cannot be used.
        as_json: Print one JSON document.
    """
    parts = readings(source)
    left_out = [line for part in parts for line in part.left_out]
    if strict and left_out:
        raise UserError(summary(left_out))
    if not as_json:
        print("".join(f"left out: {line}\n" for line in left_out), end="")
    found = {**statistics(joined(parts, source)), "left_out": left_out}
    if as_json:
        print(json.dumps(found))
        return
    print(source)
    others = f"and {len(left_out)} left out" if left_out else "all well formed"
    print(f"  levels      {found['levels']}, {others}")
    print(f"  size        {found['height']}x{found['width']}")
    for name, label in (("boxes", "boxes"), ("open_cells", "open cells"), ("walls", "walls")):
        figures = found[name]
        print(f"  {label:<10}  {figures['mean']:.1f} ({figures['min']} to {figures['max']})")
    twice = found["duplicates"]
    print(f"  duplicates  {twice['exact']} exact, {twice['puzzle']} turned, mirrored or shifted")
    print("              or with the player elsewhere (exact ones included)")


def statistics(levels: LevelSet) -> dict[str, Any]:
    """What there is in a level set, ready for JSON.

    `duplicates` counts levels that repeat an earlier one: `exact`, or as the same `puzzle`, which
    may be turned, mirrored, shifted, or have its player elsewhere.
    """
    from environments.games.sokoban.symmetry import hashes

    walls = unpack_bits(levels.walls, levels.shape).sum((1, 2))
    boxes = unpack_bits(levels.boxes, levels.shape).sum((1, 2))
    exact, puzzle = hashes(levels)
    return {
        **_summary(levels),
        "boxes": _figures(boxes),
        "open_cells": _figures(levels.shape[0] * levels.shape[1] - walls),
        "walls": _figures(walls),
        "duplicates": {
            "exact": len(levels) - len(np.unique(exact)),
            "puzzle": len(levels) - len(np.unique(puzzle)),
        },
    }


def _summary(levels: LevelSet) -> dict[str, Any]:
    height, width = levels.shape
    return {"source": levels.source, "levels": len(levels), "height": height, "width": width}


def _figures(counts: np.ndarray) -> dict[str, float]:
    return {"mean": float(counts.mean()), "min": int(counts.min()), "max": int(counts.max())}


def _write(levels: LevelSet, out: Annotated[Path, _Out], as_json: bool) -> None:
    data = pack_levels(levels) if out.suffix == PACKED else format_levels(levels)
    atomic_write(out, data)
    if as_json:
        print(json.dumps({**_summary(levels), "out": str(out), "bytes": out.stat().st_size}))
    else:
        print(f"{len(levels)} levels written to {out}", file=sys.stderr)
