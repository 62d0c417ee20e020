"""Batched MiniPacman against its own dm_env face, one maze at a time in NumPy.

Resets are inside the steps; the whole time step is carried through the scan. Shape letters: `T`
steps, `B` mazes.
"""

from functools import partial

import jax
import numpy as np

from environments import load, load_batched
from environments.base import BatchedEnvironment
from experiments.benchmarks.base import Measurement
from experiments.benchmarks.timing import compile_timed, interleave

MAZES = 1024
STEPS = 200
SINGLE_STEPS = 4000
ROUNDS = 7


def minipacman(
    mazes: int = MAZES,
    steps: int = STEPS,
    single_steps: int = SINGLE_STEPS,
    rounds: int = ROUNDS,
) -> list[Measurement]:
    """Steps a second of random play with pixels and with planes; ratios to the dm_env face."""
    kinds = ("pixels", "planes")
    counts, calls, compilation = {}, {}, {}
    actions = jax.random.randint(jax.random.key(0), (steps, mazes), 0, 5)
    for kind in kinds:
        environment = load_batched("minipacman", observations=(kind,))
        state, timestep = jax.jit(environment.reset, static_argnums=1)(jax.random.key(0), mazes)
        unroll, compilation[kind] = compile_timed(
            jax.jit(partial(_unroll, environment)), state, timestep, actions
        )
        calls[kind] = partial(_finish, unroll, state, timestep, actions)
        calls[f"{kind}, single"] = partial(_play, kind, single_steps)
        counts |= {kind: mazes * steps, f"{kind}, single": single_steps}
    times = interleave("minipacman", calls, rounds)

    found = []
    for clock, unit in (("wall", "steps/s"), ("cpu", "steps/CPU-s")):
        rate = {name: counts[name] / getattr(times[name], clock) for name in calls}
        for kind in kinds:
            single = rate[f"{kind}, single"]
            found.append(Measurement("minipacman", kind, rate[kind], unit, single))
    found += [
        Measurement("minipacman", f"{kind}: compilation", compilation[kind], "s") for kind in kinds
    ]
    return found


def _unroll(environment: BatchedEnvironment, state, timestep, actions: jax.Array):
    """The last time step after `actions [T, B]`."""

    def body(carry, action):
        return environment.step(carry[0], action), None

    (_, timestep), _ = jax.lax.scan(body, (state, timestep), actions)
    return timestep


def _finish(function, *args):
    return jax.block_until_ready(function(*args))


def _play(kind: str, steps: int) -> None:
    environment = load("minipacman", observations=(kind,))
    for action in np.random.default_rng(0).integers(5, size=steps):
        environment.step(action)
