"""Solves many levels, on several cores.

Imports numba: import this only when levels are solved.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from environments.games.sokoban.level import Level
from environments.players.sokoban.solver import MAX_NODES, Solution, solve

_CHUNK = 16  # levels that a thread is given at once
_AHEAD = 4  # chunks for each thread that are solved or waiting, at most


def solve_all(
    levels: Sequence[Level],
    *,
    threads: int,
    max_nodes: int = MAX_NODES,
    seconds: float | None = None,
) -> Iterator[Solution]:
    """The solutions of levels, in their order, as they are found.

    Args:
      levels: to solve; a thread at a time takes each.
      threads: how many; the search holds no lock of Python.
      max_nodes: for each level, see `solve`.
      seconds: after which a level is given up; None for no such limit.

    Closing the iterator, or an exception where it is used, ends the threads within milliseconds.
    """
    ended = threading.Event()

    def work(first: int) -> list[Solution]:
        found = []
        for index in range(first, min(first + _CHUNK, len(levels))):
            if ended.is_set():
                break
            deadline = None if seconds is None else time.monotonic() + seconds
            found.append(
                solve(levels[index], max_nodes=max_nodes, deadline=deadline, cancelled=ended.is_set)
            )
        return found

    waiting: deque[Future[list[Solution]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="solver")
    try:
        for first in range(0, len(levels), _CHUNK):
            if len(waiting) == _AHEAD * threads:
                yield from waiting.popleft().result()
            waiting.append(pool.submit(work, first))
        while waiting:
            yield from waiting.popleft().result()
    finally:
        ended.set()
        pool.shutdown(cancel_futures=True)
