"""Batched Sokoban against Jumanji's: same levels, actions, steps and, inside them, resets.

Both carry the whole time step through the scan, so that no part of it can be optimised away,
and begin with clocks spread over the time limit, so that resets are spread over the steps.

Shape letters: `L` levels, `T` steps, `B` boards.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
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
SHORTEST_EPISODE, TIME_LIMIT = 115, 120  # steps; ours are drawn between, Jumanji's are 120


@dataclass(frozen=True)
class Program:
    """One implementation, and where it starts."""

    step: Callable  # (state, action [B]) -> (state, time step)
    is_last: Callable  # (time step) -> [B] bool
    state: Any
    timestep: Any
    reset_is_step: bool  # whether a step goes to each reset: it is no frame


def sokoban(
    boards: int = BOARDS, steps: int = STEPS, rounds: int = ROUNDS, source: str = LEVELS
) -> list[Measurement]:
    """Frames a second of ours and Jumanji's; ratios to the faster of Jumanji's wrappers."""
    jumanji = import_jumanji()
    levels = load_levels(source)
    actions = jax.random.randint(jax.random.key(0), (steps, boards), 0, 4)
    clocks = jnp.arange(boards, dtype=jnp.int32) * SHORTEST_EPISODE // boards
    rivals = theirs(jumanji, levels, clocks)
    programs = {kind: ours(levels, kind, clocks) for kind in ("planes", "pixels")} | rivals

    calls, compilation, frames = {}, {}, {}
    for name, program in programs.items():
        unroll, compilation[name] = compile_timed(
            jax.jit(partial(_unroll, program)), program.state, program.timestep, actions
        )
        calls[name] = partial(_finish, unroll, program.state, program.timestep, actions)
        resets = int(calls[name]()[1])
        if resets < boards * (steps // (TIME_LIMIT + 1)):
            raise RuntimeError(f"{name}: {resets} resets are too few for {steps} steps")
        frames[name] = boards * steps - resets * program.reset_is_step
    times = interleave("sokoban", calls, rounds)

    found = []
    for clock, unit in (("wall", "frames/s"), ("cpu", "frames/CPU-s")):
        rate = {name: frames[name] / getattr(times[name], clock) for name in programs}
        best = max(rate[name] for name in rivals)
        found += [Measurement("sokoban", name, rate[name], unit, best) for name in programs]
    found += [
        Measurement("sokoban", f"{name}: compilation", compilation[name], "s") for name in programs
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


def ours(levels: LevelSet, kind: str, clocks: jax.Array) -> Program:
    """Our batched face showing `kind`, its boards at times `clocks [B]`."""
    environment = BatchedSokoban.from_levels(levels, SokobanOptions(observations=(kind,)))
    state, timestep = jax.jit(environment.reset, static_argnums=1)(jax.random.key(0), len(clocks))
    state = replace(state, time=clocks)
    return Program(environment.step, lambda t: t.is_last, state, timestep, reset_is_step=True)


def theirs(jumanji: Any, levels: LevelSet, clocks: jax.Array) -> dict[str, Program]:
    """Jumanji's Sokoban-v0 over the same levels under each of its auto-reset wrappers."""
    fixed, variable = map(jnp.asarray, _grids(levels))

    class Table(jumanji.environments.routing.sokoban.generator.HuggingFaceDeepMindGenerator):
        """Draws from our levels as its parent does from those that it would download."""

        def __init__(self):
            self._fixed_grids, self._variable_grids = fixed, variable

    # Any object serves as viewer: nothing is drawn, and its own leaves image files open.
    environment = jumanji.environments.Sokoban(Table(), viewer=object(), time_limit=TIME_LIMIT)
    auto = jumanji.wrappers.AutoResetWrapper(environment)
    batched = jumanji.wrappers.VmapAutoResetWrapper(environment)
    state, timestep = jax.jit(batched.reset)(jax.random.split(jax.random.PRNGKey(0), len(clocks)))
    state = state.replace(step_count=clocks)

    def program(step):
        return Program(step, lambda t: t.last(), state, timestep, reset_is_step=False)

    return {
        "Jumanji VmapAutoReset": program(batched.step),
        "Jumanji vmap(AutoReset)": program(jax.vmap(auto.step)),
    }


def _unroll(program: Program, state, timestep, actions: jax.Array):
    """The last time step, and how many resets there were in all."""

    def body(carry, action):
        state, _, resets = carry
        state, timestep = program.step(state, action)
        return (state, timestep, resets + program.is_last(timestep)), None

    resets = jnp.zeros(actions.shape[1], jnp.int32)
    (_, timestep, resets), _ = jax.lax.scan(body, (state, timestep, resets), actions)
    return timestep, jnp.sum(resets)


def _finish(function: Callable, *args):
    return jax.block_until_ready(function(*args))


def _grids(levels: LevelSet) -> tuple[np.ndarray, np.ndarray]:
    """Jumanji's grids, both `[L, 10, 10] uint8`: 1 wall, 2 target; 3 player, 4 box."""
    walls, targets, boxes = (
        unpack_bits(words, levels.shape) for words in (levels.walls, levels.targets, levels.boxes)
    )
    variable = np.where(boxes, 4, 0).astype(np.uint8)
    variable.reshape(len(levels), -1)[np.arange(len(levels)), levels.player] = 3
    return (walls + 2 * targets).astype(np.uint8), variable
