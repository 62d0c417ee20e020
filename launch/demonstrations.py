"""Demonstrations: what a script plays, recorded once, to be learnt from beside an agent's own play.

A file holds one stream of rows, episode after episode, in plain arrays; nothing is pickled. The
array `about` says, as JSON in UTF-8, of which environment and version they are.

Shape letters: `R` rows, `T` steps of a sequence, `N` sequences.
"""

import io
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from agents.base import Unroll
from environments.base import EnvironmentSpec
from environments.errors import PhysicsError, UserError, reason
from environments.registry import EnvironmentOptions, entry, name_of
from environments.vector.seeds import world_seed
from launch import files
from launch.distributed.base import Item, Stamp
from launch.platforms import cores

_WORLDS = 8  # fixed: results do not depend on the machine
_TRIES = 3  # times as many episodes may be played as are wanted
_FLAG = "demonstrated"
_ABOUT, _SHOWN = "about", "observation/"


@dataclass(frozen=True)
class Stream:
    """Episodes one after another, as a world shows them; the last row of each is a LAST step.

    A row's action leads to the next row, to which its reward and discount belong.
    """

    observation: dict[str, np.ndarray]  # each [R, ...]
    is_first: np.ndarray  # [R] bool
    is_last: np.ndarray  # [R] bool
    action: np.ndarray  # [R, ...]; 0 where it is ignored
    reward: np.ndarray  # [R] float32
    discount: np.ndarray  # [R] float32

    @property
    def episodes(self) -> int:
        """How many there are."""
        return int(self.is_last.sum())


def record(
    options: EnvironmentOptions,
    spec: EnvironmentSpec,
    episodes: int,
    seed: int,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> Stream | None:
    """Has the environment's script play, and keeps the episodes that it wins.

    Args:
      options: of the environment, whose hints are told always.
      spec: of the environment.
      episodes: how many are to be won; at most three times as many are played.
      seed: decides what is random.
      stopped: asked before each episode.

    Returns:
      The episodes; None if it was stopped before there were so many.

    Raises:
      UserError: there is no script for this game, or it wins too seldom.
    """
    from launch.baselines import scripted_policy
    from launch.suite_options import told

    build = entry(name_of(options)).single
    counts = [episodes // _WORLDS + (i < episodes % _WORLDS) for i in range(_WORLDS)]

    def play(world: int) -> list[Stream]:
        environment: Any = build(told(options), seed=world_seed(seed, world))
        try:
            policy, won = scripted_policy(environment), []
            for _ in range(_TRIES * counts[world]):
                if len(won) == counts[world] or stopped() or failed.is_set():
                    break
                try:
                    episode = _episode(environment, policy, spec)
                except PhysicsError:
                    continue  # it is not won
                if environment.outcome == spec.outcomes[0]:
                    won.append(episode)
            return won
        except BaseException:
            failed.set()
            raise
        finally:
            environment.close()

    failed = threading.Event()
    with ThreadPoolExecutor(max_workers=cores()) as pool:
        found = [episode for part in pool.map(play, range(_WORLDS)) for episode in part]
    if len(found) == episodes:
        return _joined(found)
    if stopped():
        return None
    raise UserError(
        f"the script won only {len(found)} of {_TRIES * episodes} episodes, fewer than the "
        f"{episodes} to demonstrate: ask for fewer, or make the task easier"
    )


def _episode(environment: Any, policy: Callable[[Any, Any], Any], spec: EnvironmentSpec) -> Stream:
    timestep = environment.reset()
    shown, done, paid = [], [], []
    while True:
        shown.append({key: np.array(timestep.observation[key]) for key in spec.observation})
        if timestep.last():
            break
        done.append(np.array(policy(environment, timestep), spec.action.dtype))
        timestep = environment.step(done[-1])
        paid.append((timestep.reward, timestep.discount))
    rows = len(shown)
    reward, discount = np.array([*paid, (0.0, 1.0)], np.float32).T
    return Stream(
        observation={key: np.stack([row[key] for row in shown]) for key in spec.observation},
        is_first=np.arange(rows) == 0,
        is_last=np.arange(rows) == rows - 1,
        action=np.stack([*done, np.zeros(spec.action.shape, spec.action.dtype)]),
        reward=reward,
        discount=discount,
    )


def _joined(parts: list[Stream]) -> Stream:
    def of(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    return Stream(
        {
            key: np.concatenate([part.observation[key] for part in parts])
            for key in parts[0].observation
        },
        **{name: of(name) for name in ("is_first", "is_last", "action", "reward", "discount")},
    )


def save(path: Path, stream: Stream, options: EnvironmentOptions) -> None:
    """Writes a file, whole or not at all. Raises UserError if it cannot be written."""
    about = {"environment": name_of(options), "version": entry(name_of(options)).version}
    arrays = {f"{_SHOWN}{key}": x for key, x in stream.observation.items()}
    arrays |= {name: x for name, x in vars(stream).items() if name != "observation"}
    file = io.BytesIO()
    np.savez_compressed(
        file, **arrays, **{_ABOUT: np.frombuffer(json.dumps(about).encode(), np.uint8)}
    )
    files.atomic_write(path, file.getvalue())


def load(path: Path, options: EnvironmentOptions, spec: EnvironmentSpec) -> Stream:
    """The demonstrations in a file.

    Raises UserError, in one line, if there are none or they are of another environment, another
    version of it, or other observations or actions.
    """
    about, arrays = _read(path)
    here = {"environment": name_of(options), "version": entry(name_of(options)).version}
    if about != here:
        there = " ".join(map(str, about.values()))
        raise UserError(
            f"{path} holds demonstrations of {there}, not of {' '.join(map(str, here.values()))}: "
            "record them anew (demonstrations.source scripted)"
        )
    shown = {
        name.removeprefix(_SHOWN): arrays.pop(name)
        for name in list(arrays)
        if name.startswith(_SHOWN)
    }
    _check(path, "action", arrays.get("action"), spec.action)
    for key in shown | dict(spec.observation):
        _check(path, key, shown.get(key), spec.observation.get(key))
    return Stream(shown, **arrays)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays.pop(_ABOUT).tobytes())
        rows = {len(x) for x in arrays.values()}
        if len(rows) != 1 or not isinstance(about, dict):
            raise ValueError("columns of different lengths")
        return about, arrays
    except OSError as error:
        raise UserError(f"cannot read demonstrations {path}: {reason(error)}") from error
    except Exception as error:  # a changed byte may raise almost anything
        raise UserError(f"{path} holds no demonstrations, or is damaged") from error


def _check(path: Path, name: str, found: np.ndarray | None, wanted: Any) -> None:
    there = "absent" if found is None else f"{found.dtype}{list(found.shape[1:])}"
    here = "absent" if wanted is None else f"{np.dtype(wanted.dtype)}{list(wanted.shape)}"
    if there != here:
        raise UserError(
            f"{path} holds demonstrations that show other things: {name} is {there} there, {here} "
            "here; record them with these options"
        )


def sequences(stream: Stream, spec: Item, period: int) -> Item:
    """Sequences `[N, ...]` for a replay, of which the next begins `period` rows after the last.

    Args:
      stream: of which the rows after the last whole sequence are left out.
      spec: of an item of an agent that needs nothing of the acting policy; cores are zeros.
      period: rows.

    Raises:
      UserError: there are too few rows, or the agent needs what demonstrations lack.
    """
    unroll = spec.unroll
    if set(unroll.extras) - {_FLAG}:
        raise UserError("this agent cannot learn from demonstrations: use mpo")
    length = unroll.action.shape[0]
    starts = np.arange(0, len(stream.is_first) - length, period)
    if not len(starts):
        raise UserError(f"the demonstrations have no {length + 1} steps: record more episodes")
    steps, rows = (starts[:, None] + np.arange(n) for n in (length, length + 1))
    return Item(
        Unroll(
            observation={key: x[rows] for key, x in stream.observation.items()},
            is_first=stream.is_first[rows],
            is_last=stream.is_last[rows],
            action=stream.action[steps],
            reward=stream.reward[steps],
            discount=stream.discount[steps],
            extras={name: np.ones(steps.shape, bool) for name in unroll.extras},
            core=jax.tree.map(lambda x: np.zeros((len(starts), *x.shape), x.dtype), unroll.core),
        ),
        _stamp(len(starts), spec.stamp),
    )


def _stamp(items: int, like: Stamp) -> Stamp:
    """Of no actor: demonstrations are never too old."""
    fields = {name: np.full(items, -1, leaf.dtype) for name, leaf in vars(like).items()}
    return Stamp(**(fields | {"number": np.arange(items, dtype=np.int64)}))
