"""Embedded games against the bare engine: the same physics, control step by control step.

The baseline of speed is a loop of `mj_step` over the identical trace; each of its segments must
come out bit for bit as it was recorded. Actions are random.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from environments import load, load_vector
from environments.embedded.environment import EmbeddedEnvironment
from environments.vector import world_seed
from experiments.benchmarks.base import Measurement
from experiments.benchmarks.timing import Timing, interleave
from experiments.benchmarks.traces import Segment, record, replay

LEVELS = "generated:size=10,boxes=4,count=20,seed=0"
CAMERA_SIDE = 84  # pixels
_NAME = "embedded"


@dataclasses.dataclass(frozen=True)
class Size:
    """How much to measure."""

    levels: int = 6
    level_steps: int = 10  # of MuJoBan, on each level
    board_steps: int = 150
    camera_steps: int = 20
    resets: int = 100
    compilations: int = 1
    vector_steps: int = 24  # in all worlds together, a round
    rounds: int = 11


def embedded(size: Size = Size()) -> list[Measurement]:
    """Steps, resets, pictures, and many worlds."""
    return [*mujoban(size), *boards(size), *worlds(size)]


def mujoban(size: Size) -> list[Measurement]:
    """MuJoBan against scenes compiled afresh for each level; its resets against compiling."""
    from environments.embedded.mujoban.levels import place
    from environments.embedded.mujoban.world import World
    from environments.games.sokoban.sources import load_levels

    environment = _load("mujoban", levels=LEVELS)
    levels = load_levels(LEVELS)
    chosen = np.random.default_rng(0).choice(len(levels), size.levels, replace=False).tolist()
    actions = _actions(environment, size.level_steps)
    starts, segments = {}, []
    for level in chosen:
        environment.reset_to(level)
        starts[level] = environment.snapshot()
        segments += record(environment, actions)
    control_step = environment.simulation.control_step
    for segment in segments:
        fresh = World.of_level(place(levels, segment.level), control_step)
        segment.model = fresh.simulation.model

    def play() -> None:
        for start in starts.values():
            environment.restore(start)
            for action in actions:
                environment.step(action)

    steps = len(chosen) * len(actions)
    found = _against_bare("MuJoBan, 0.1 s control", play, segments, steps, size.rounds)

    some = itertools.cycle(np.random.default_rng(1).permutation(len(levels)).tolist())

    def reset() -> None:
        for level in itertools.islice(some, size.resets):
            environment.reset_to(level)

    def compile_scenes() -> None:
        for level in chosen[: size.compilations]:
            World.of_level(place(levels, level), control_step).start(place(levels, level), 0.0)

    for _ in range(2 * len(levels) // size.resets + 1):
        reset()  # until a model of every kind is there
    times = interleave(_NAME, {"reset": reset, "compile": compile_scenes}, size.rounds)
    environment.close()
    return [
        *found,
        Measurement(
            _NAME,
            "MuJoBan: reset to another level, against compiling its scene",
            1e3 * times["reset"].cpu / size.resets,
            "CPU-ms",
            1e3 * times["compile"].cpu / size.compilations,
        ),
    ]


def boards(size: Size) -> list[Measurement]:
    """MuJoXO and MuJoGo, with features alone and with both cameras, and their resets."""
    found = []
    cameras = dict.fromkeys(("front_camera", "front_camera_2"), (CAMERA_SIDE, CAMERA_SIDE))
    for name, title in (("mujoxo", "MuJoXO"), ("mujogo", "MuJoGo")):
        # Its thinking is not what is measured.
        options = {"opponent": "random", "time_limit": 3600.0}
        plain, seeing = _load(name, **options), _load(name, **options, **cameras)
        for environment, steps, pictures, label in (
            (plain, size.board_steps, (), "features"),
            (
                seeing,
                size.camera_steps,
                ("front", "front_2"),
                f"two {CAMERA_SIDE}x{CAMERA_SIDE} cameras",
            ),
        ):
            actions = _actions(environment, steps)
            environment.reset()
            start = environment.snapshot()
            segments = record(environment, actions)
            play = functools.partial(_play, environment, start, actions)
            found += _against_bare(
                f"{title}, {label}", play, segments, steps, size.rounds, pictures
            )
        count = max(1, size.resets // 4)
        reset = functools.partial(_repeat, plain.reset, count)
        times = interleave(_NAME, {"reset": reset}, size.rounds)
        found.append(
            Measurement(_NAME, f"{title}: reset", 1e3 * times["reset"].cpu / count, "CPU-ms")
        )
        plain.close()
        seeing.close()
    return found


def worlds(size: Size) -> list[Measurement]:
    """Worlds of MuJoBan at once, against the same worlds stepped in turn by one thread."""
    found = []
    for count in (1, 2, 8):
        singles = [_load("mujoban", seed=world_seed(0, i), levels=LEVELS) for i in range(count)]
        rounds = max(1, size.vector_steps // count)
        actions = np.stack([_actions(singles[0], rounds, seed=i) for i in range(count)], axis=1)
        with load_vector("mujoban", count, levels=LEVELS) as together:
            together.reset()
            for single in singles:
                single.reset()
            programs = {
                "together": functools.partial(_each, together.step, actions),
                "in turn": functools.partial(_in_turn, singles, actions),
            }
            times = interleave(_NAME, programs, size.rounds)
        for single in singles:
            single.close()
        label = f"MuJoBan, {count} world{'s' * (count > 1)} at once, against in turn"
        found += _rates(label, rounds * count, times["together"], times["in turn"])
    return found


def _load(name: str, **options: Any) -> EmbeddedEnvironment:
    environment = load(name, **options)
    assert isinstance(environment, EmbeddedEnvironment)
    return environment


def _actions(environment: EmbeddedEnvironment, count: int, seed: int = 0) -> np.ndarray:
    """`[count, nu] float32`, uniform within the bounds."""
    spec = environment.action_spec()
    rng = np.random.default_rng(seed)
    return rng.uniform(spec.minimum, spec.maximum, (count, *spec.shape)).astype(np.float32)


def _against_bare(
    label: str,
    play: Callable[[], None],
    segments: Sequence[Segment],
    steps: int,
    rounds: int,
    cameras: Sequence[str] = (),
) -> list[Measurement]:
    bare = replay(segments, *((camera, CAMERA_SIDE) for camera in cameras))
    times = interleave(_NAME, {"play": play, "bare": bare}, rounds)
    against = "mj_step and dm_control's pictures" if cameras else "mj_step"
    return _rates(f"{label}, against {against}", steps, times["play"], times["bare"])[1:]


def _rates(label: str, steps: int, ours: Timing, theirs: Timing) -> list[Measurement]:
    """Steps per second, and per CPU-second."""
    return [
        Measurement(_NAME, label, steps / ours.wall, "steps/s", steps / theirs.wall),
        Measurement(_NAME, label, steps / ours.cpu, "steps/CPU-s", steps / theirs.cpu),
    ]


def _play(environment: EmbeddedEnvironment, start: Any, actions: np.ndarray) -> None:
    environment.restore(start)
    _each(environment.step, actions)


def _each(function: Callable[[Any], object], arguments: np.ndarray) -> None:
    for argument in arguments:
        function(argument)


def _in_turn(environments: Sequence[EmbeddedEnvironment], actions: np.ndarray) -> None:
    """Steps under `actions [T, N, nu]`."""
    for row in actions:
        for environment, action in zip(environments, row, strict=True):
            environment.step(action)


def _repeat(function: Callable[[], object], count: int) -> None:
    for _ in range(count):
        function()
