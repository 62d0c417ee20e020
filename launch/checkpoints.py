"""Checkpoints of the training state: Orbax arrays, with sums that are verified on restore.

Orbax restores a changed byte silently and takes an empty step folder for the newest. So every
checkpoint holds `manifest.json`, the size and SHA-256 of each of its files, written last:

    <folder>/<step>/arrays/          the leaves of the state, by their number, in Orbax's format
    <folder>/<step>/contents.json    what they are: path, shape and dtype; identity; extra
    <folder>/<step>/manifest.json

A checkpoint is written beside its place and renamed into it, so it is there whole or not at all.
One that is there is never replaced: a second checkpoint of the same step is named `<step>.1` until
the first is removed. If a kill leaves that name behind, it counts like any other.
"""

import json
import logging
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import agents.registry
import environments.registry
from environments.errors import UserError
from experiments.base import Experiment
from launch import files, manifests, pytree_files

_FORMAT = 1
_NAME = re.compile(r"[0-9]+(\.[0-9]+)?")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """What `restore` gives back: the arguments of `save`."""

    step: int
    state: Any
    extra: dict[str, Any]


def steps(folder: Path) -> list[int]:
    """The steps of which `folder` holds a checkpoint, damaged or not, in ascending order."""
    return sorted({_order(path)[0] for path in saved(folder)})


def saved(folder: Path) -> list[Path]:
    """All checkpoints in `folder`, damaged or not, in the order in which they were saved."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=_order)


def save(
    folder: Path,
    step: int,
    state: Any,
    *,
    identity: Mapping[str, Any],
    extra: Mapping[str, Any] | None = None,
    keep: int = 3,
) -> None:
    """Writes a checkpoint and removes all but the newest `keep`.

    Checkpoints of later steps go too: they belong to a future that a fallback has given up.

    Args:
      folder: of all checkpoints of the run; made if missing.
      step: its number, increasing as training goes on.
      state: a pytree of JAX or NumPy arrays, typed keys included, sharded or not.
      identity: what must be equal on restore, as JSON: see `identity_of`.
      extra: anything else to keep, as JSON.

    Raises:
      UserError: it cannot be written (full disk); the earlier checkpoints are untouched.
    """
    temporary = files.unfinished(folder / str(step))
    contents = {
        "format": _FORMAT,
        "step": step,
        "identity": dict(identity),
        "leaves": pytree_files.describe(state),
        "extra": dict(extra or {}),
    }
    with files.writing(folder / str(step)):
        folder.mkdir(parents=True, exist_ok=True)
        files.remove_unfinished(folder)
        try:
            temporary.mkdir()
            pytree_files.write(temporary / "arrays", state)
            (temporary / "contents.json").write_text(json.dumps(contents))
            manifests.write(temporary)
            place = _free_place(folder, step)
            temporary.rename(place)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        files.sync(folder)
        _prune(folder, step, keep)
        if place.name != str(step) and not (folder / str(step)).exists():
            place.rename(folder / str(step))


def restore(folder: Path, like: Any, *, identity: Mapping[str, Any]) -> Checkpoint:
    """Restores the newest checkpoint that is whole; damaged ones are passed over with a warning.

    Args:
      folder: of all checkpoints of the run.
      like: a pytree of arrays or `jax.ShapeDtypeStruct`: the structure, shapes and dtypes that the
        state must have. A NumPy leaf comes back as NumPy; any other is put where its `sharding`
        says, or on the first device if it has none.
      identity: as given to `save`.

    Raises:
      UserError: there is no whole checkpoint, or it is one of another agent or version.
    """
    paths = saved(folder)
    for path in reversed(paths):
        try:
            contents = _verified(path)
        except (OSError, ValueError) as error:
            _log.warning("checkpoint %s is damaged (%s): using the one before", path, error)
            continue
        _check(path, contents, identity, like)
        state = pytree_files.read(path / "arrays", contents["leaves"], like)
        return Checkpoint(contents["step"], state, contents["extra"])
    what = "every checkpoint is damaged" if paths else "there is no checkpoint"
    raise UserError(
        f"{what} in {folder}; start again: moravec train --config {folder.parent / 'config.json'}"
    )


def identity_of(experiment: Experiment) -> dict[str, Any]:
    """What must be equal, whatever the runner, where a run of `experiment` is restored."""
    name = environments.registry.name_of(experiment.environment)
    return {
        "agent": agents.registry.name_of(experiment.agent),
        "environment": name,
        "environment version": environments.registry.entry(name).version,
    }


def _verified(path: Path) -> dict[str, Any]:
    """The contents of a checkpoint; OSError or ValueError if any file is not as it was written."""
    manifests.verify(path, listed="contents.json")
    return json.loads((path / "contents.json").read_text())


def _check(path: Path, contents: dict[str, Any], identity: Mapping[str, Any], like: Any) -> None:
    """Raises UserError if the checkpoint is not of the agent, version or shapes asked for."""
    there = {"checkpoint format": contents["format"], **contents["identity"]}
    here = {"checkpoint format": _FORMAT, **json.loads(json.dumps(dict(identity)))}
    there |= {leaf["path"]: _shape(leaf) for leaf in contents["leaves"]}
    here |= {leaf["path"]: _shape(leaf) for leaf in pytree_files.describe(like)}
    different = [name for name in here | there if here.get(name) != there.get(name)]
    if not different:
        return
    name = different[0]
    more = f" and {len(different) - 1} more differences" if len(different) > 1 else ""
    difference = f"{name} is {there.get(name, 'absent')} there, {here.get(name, 'absent')} here"
    if name in contents["identity"] or name == "checkpoint format":
        raise UserError(
            f"checkpoint {path} is of another agent or version: {difference}{more}; "
            f"use the code that wrote it (see versions.json)"
        )
    raise UserError(
        f"checkpoint {path} does not fit config.json and the levels: {difference}{more}; resume "
        f"with the configuration, and levels of the size, with which it was written"
    )


def _shape(leaf: dict[str, Any]) -> str:
    return f"{leaf['dtype']}{leaf['shape']}"


def _order(path: Path) -> tuple[int, int]:
    """The step of a checkpoint, and which one of that step it is."""
    step, _, number = path.name.partition(".")
    return int(step), int(number or 0)


def _free_place(folder: Path, step: int) -> Path:
    """Where the next checkpoint of a step goes: after all that are there."""
    numbers = [number for other, number in map(_order, saved(folder)) if other == step]
    return folder / (f"{step}.{max(numbers) + 1}" if numbers else str(step))


def _prune(folder: Path, newest: int, keep: int) -> None:
    """Removes all but the last checkpoint of each of the newest `keep` steps up to `newest`."""
    paths = saved(folder)
    last = {_order(path)[0]: path for path in paths}
    kept = [last[step] for step in sorted(last) if step <= newest][-keep:]
    for path in paths:
        if path not in kept:
            shutil.rmtree(path, ignore_errors=True)
    files.remove_unfinished(folder)
