"""How long it takes to solve a Sokoban level with the fewest moves, once numba has compiled it."""

import time

import numpy as np

from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.sources import load_levels
from environments.players.sokoban.batch import solve_all
from environments.players.sokoban.solver import solve
from experiments.benchmarks.base import Measurement

COUNT = 1000
SOURCE = f"generated:size=10,boxes=4,count={COUNT},seed=0"
THREADS = 2


def solver() -> list[Measurement]:
    """The time of single levels, and of a whole set on one core and on two."""
    (small,) = load_levels("generated:size=5,boxes=1,count=1,seed=0")
    begin = time.perf_counter()
    solve(small)
    compiling = time.perf_counter() - begin
    return [
        Measurement(
            "solver", "first level, compiling or loading what was compiled", compiling, "s"
        ),
        *measure(load_levels(SOURCE)),
    ]


def measure(levels: LevelSet) -> list[Measurement]:
    """The figures of one set of levels."""
    cpu, moves, expanded = [], [], []
    for level in levels:
        begin = time.process_time()
        found = solve(level)
        cpu.append(1e3 * (time.process_time() - begin))
        if found.status != "solved":
            raise RuntimeError(f"a level was not solved: {found.status}")
        moves.append(len(found.actions))
        expanded.append(found.expanded)
    whole = {threads: _whole(levels, threads) for threads in (1, THREADS)}

    def row(metric: str, value: float, unit: str, baseline: float | None = None) -> Measurement:
        return Measurement("solver", metric, value, unit, baseline)

    return [
        row("median CPU", float(np.median(cpu)), "ms/level"),
        row("99th percentile CPU", float(np.percentile(cpu, 99)), "ms/level"),
        row("longest CPU", max(cpu), "ms/level"),
        row("mean CPU", float(np.mean(cpu)), "ms/level"),
        row("median moves", float(np.median(moves)), "moves"),
        row("steps of the search", 1e-3 * sum(expanded) / sum(cpu), "million/CPU-s"),
        row("one thread", whole[1], "levels/s"),
        row("two threads, against one", whole[THREADS], "levels/s", whole[1]),
    ]


def _whole(levels: LevelSet, threads: int) -> float:
    begin = time.perf_counter()
    for _ in solve_all(levels, threads=threads):
        pass
    return len(levels) / (time.perf_counter() - begin)
