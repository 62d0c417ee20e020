"""Batched Sokoban against Jumanji's: same levels, actions, steps and, inside them, resets.

Both carry the whole time step through the scan, so that no part of it can be optimised away,
and begin with clocks spread over the time limit, so that resets are spread over the steps.

Shape letters: `L` levels, `T` steps, `B` boards.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from environments.errors import UserError
from environments.games.sokoban.batched import BatchedSokoban
from environments.games.sokoban.level import LevelSet, unpack_bits
from environments.games.sokoban.registration import SokobanOptions
from environments.games.sokoban.sources import load_levels
from experiments.benchmarks.base import Measurement
from experiments.benchmarks.timing import compile_timed, interleave

BOARDS = 1024
STEPS = 240
ROUNDS = 15
LEVELS = "generated:size=10,boxes=4,count=1000,seed=0"
TIME_LIMIT = 120  # Jumanji's default; the longest of ours


@dataclass(frozen=True)
class Program:
    """One implementation, ready to be compiled."""

    function: Callable  # (*arguments, actions [T, B]) -> (time step, resets [] int32)
    arguments: tuple[Any, ...]
    frames: Callable[[int, int], int]  # (steps, resets) -> steps that moved a player


def sokoban(
    boards: int = BOARDS, steps: int = STEPS, rounds: int = ROUNDS, source: str = LEVELS
) -> list[Measurement]:
    """Steps a second of both, compilation apart; ratios to the faster of Jumanji's wrappers."""
    jumanji = import_jumanji()
    levels = load_levels(source)
    key = jax.random.key(0)
    actions = jax.random.randint(key, (steps, boards), 0, 4)
    clocks = jnp.arange(boards, dtype=jnp.int32) * 115 // boards
    programs = {
        "planes": ours(levels, ("planes",), key, clocks),
        "pixels": ours(levels, ("pixels",), key, clocks),
        **theirs(jumanji, levels, clocks),
    }
    compiled, seconds = {}, {}
    for name, program in programs.items():
        jitted = jax.jit(program.function)
        compiled[name], seconds[name] = compile_timed(jitted, *program.arguments, actions)
    calls = {
        name: lambda f=compiled[name], a=program.arguments: jax.block_until_ready(f(*a, actions))
        for name, program in programs.items()
    }
    resets = {name: int(call()[1]) for name, call in calls.items()}
    for name, count in resets.items():
        if count < boards * steps // (TIME_LIMIT + 2) - boards:
            raise RuntimeError(f"{name}: {count} resets, too few for {steps} steps")
    times = interleave("sokoban", calls, rounds)
    rate = {
        name: program.frames(boards * steps, resets[name]) / times[name].wall
        for name, program in programs.items()
    }
    cpu_rate = {name: rate[name] * times[name].wall / times[name].cpu for name in programs}
    wrappers = [name for name in programs if name not in ("planes", "pixels")]
    best, best_cpu = max(rate[name] for name in wrappers), max(cpu_rate[name] for name in wrappers)

    found = []
    for name in programs:
        label = f"Jumanji, {name}" if name in wrappers else name
        found += [
            Measurement("sokoban", label, rate[name], "steps/s", best),
            Measurement("sokoban", label, cpu_rate[name], "steps/CPU-s", best_cpu),
            Measurement("sokoban", f"{label}: compilation", seconds[name], "s"),
        ]
    return found


def import_jumanji() -> Any:
    """Jumanji; raises UserError with what to type if it is not installed."""
    try:
        import jumanji.environments  # pyright: ignore[reportMissingImports]
        import jumanji.wrappers  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError as error:
        raise UserError(
            f"this benchmark needs {error.name}, which is not installed: with Python 3.11, "
            f"`uv run --group bench moravec bench sokoban`"
        ) from error
    return jumanji


def ours(levels: LevelSet, kinds: tuple[str, ...], key: jax.Array, clocks: jax.Array) -> Program:
    """Our batched face, its boards at times `clocks [B]`; the step of a reset is no frame."""
    environment = BatchedSokoban.from_levels(levels, SokobanOptions(observations=kinds))
    state, timestep = jax.jit(lambda e: e.reset(key, len(clocks)))(environment)

    def run(environment, state, timestep, actions):
        return _unroll(environment.step, lambda t: t.is_last, state, timestep, actions)

    arguments = (environment, replace(state, time=clocks), timestep)
    return Program(run, arguments, frames=lambda steps, resets: steps - resets)


def theirs(jumanji: Any, levels: LevelSet, clocks: jax.Array) -> dict[str, Program]:
    """Jumanji's Sokoban-v0 over the same levels under each auto-reset wrapper.

    A level table is drawn from as its own generators do; a reset takes no step of its own.
    """
    fixed, variable = _grids(levels)
    base = jumanji.environments.routing.sokoban
    generators = base.generator

    class TableGenerator(generators.HuggingFaceDeepMindGenerator):
        def __init__(self):
            # Its own constructor would download levels.
            self._fixed_grids, self._variable_grids = jnp.asarray(fixed), jnp.asarray(variable)

    environment = jumanji.environments.Sokoban(TableGenerator(), time_limit=TIME_LIMIT)
    auto, batched = (
        jumanji.wrappers.AutoResetWrapper(environment),
        jumanji.wrappers.VmapAutoResetWrapper(environment),
    )
    keys = jax.random.split(jax.random.PRNGKey(0), len(clocks))
    state, timestep = jax.jit(batched.reset)(keys)
    arguments = (state.replace(step_count=clocks), timestep)

    def program(step):
        def run(state, timestep, actions):
            return _unroll(step, lambda t: t.last(), state, timestep, actions)

        return Program(run, arguments, frames=lambda steps, _: steps)

    return {
        "VmapAutoResetWrapper": program(batched.step),
        "vmap(AutoResetWrapper)": program(jax.vmap(auto.step)),
    }


def _unroll(step, is_last, state, timestep, actions):
    def body(carry, action):
        state, _, resets = carry
        state, timestep = step(state, action)
        return (state, timestep, resets + is_last(timestep)), None

    resets = jnp.zeros(actions.shape[1], jnp.int32)
    (_, timestep, resets), _ = jax.lax.scan(body, (state, timestep, resets), actions)
    return timestep, jnp.sum(resets)


def _grids(levels: LevelSet) -> tuple[np.ndarray, np.ndarray]:
    """Jumanji's grids, both `[L, 10, 10] uint8`: 1 wall, 2 target; 3 player, 4 box."""
    walls, targets, boxes = (
        unpack_bits(words, levels.shape) for words in (levels.walls, levels.targets, levels.boxes)
    )
    variable = np.where(boxes, 4, 0).astype(np.uint8)
    variable.reshape(len(levels), -1)[np.arange(len(levels)), levels.player] = 3
    return (walls + 2 * targets).astype(np.uint8), variable
