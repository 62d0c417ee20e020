"""How long it takes to generate a Sokoban level, once numba has compiled the generator."""

import time
from statistics import median

import numpy as np

from environments.games.sokoban.generator import generate
from environments.games.sokoban.reverse_play import fill, memory
from experiments.benchmarks.base import Measurement

COUNT = 300
KINDS = ((10, 4), (6, 1))  # size, boxes


def levels() -> list[Measurement]:
    """The time of single levels, and of whole sets as a user gets them."""
    begin = time.perf_counter()
    generate(6, 6, 1, count=1, seed=0)
    found = [
        Measurement(
            "levels", "first level, compiling or loading what was compiled", _since(begin), "s"
        )
    ]
    for size, boxes in KINDS:
        kind = f"{size}x{size}, {boxes} box{'es' * (boxes > 1)}"
        wall, cpu = level_times(size, boxes, COUNT)
        begin = time.perf_counter()
        generate(size, size, boxes, COUNT, seed=0)
        whole = _since(begin) / COUNT
        found += [
            Measurement("levels", f"{kind}: median", 1e3 * median(wall), "ms/level"),
            Measurement("levels", f"{kind}: median CPU", 1e3 * median(cpu), "ms/level"),
            Measurement("levels", f"{kind}: whole set, mean", 1e3 * whole, "ms/level"),
        ]
    return found


def level_times(size: int, boxes: int, count: int) -> tuple[list[float], list[float]]:
    """Seconds, and CPU seconds, that each level of a set took, one by one."""
    scratch = memory(size * size, boxes, count)
    board, player = np.empty((3, 1, size * size), np.bool_), np.empty(1, np.int32)
    wall, cpu = [], []
    for index in range(count):
        begin, cpu_begin = time.perf_counter(), time.process_time()
        made = fill(board, player, size, index, 0, False, scratch)
        wall.append(_since(begin))
        cpu.append(time.process_time() - cpu_begin)
        if not made:
            raise RuntimeError(f"no level {index} of size {size} with {boxes} boxes")
    return wall, cpu


def _since(begin: float) -> float:
    return time.perf_counter() - begin
