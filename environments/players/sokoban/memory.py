"""What a search keeps: nodes, items and entries, as `search` has them, and how it grows.

Letters: `C` cells, `T` targets, `N` nodes, `M` items, `E` entries, `W` words of a bitboard.

Imports numba: import this only when levels are solved.
"""

from typing import NamedTuple

import numpy as np

from environments.players.sokoban.compiling import compiled

BOUND, ITEM, ENTRY = range(3)  # columns of `Memory.info`
NODE, MOVES, NEXT = range(3)  # of `Memory.items`
CELL, WHEN, PARENT, OTHER = range(4)  # of `Memory.entries`
NODES, ITEMS, ENTRIES, FREE, OPEN, LEAST, EXPANDED, GOAL = range(8)  # of `Memory.counters`
MAX_BYTES = 3 << 29  # of one search
_ENUMERATED = 6  # up to so many targets the assignment goes over their subsets


class Memory(NamedTuple):
    """What one search has found so far, and what it works in."""

    nodes: np.ndarray  # [N, 2W + 1] uint64: boxes, cells the player was on, and the hash
    info: np.ndarray  # [N, 3] int32: bound, newest open item (-1: none), newest entry
    masks: np.ndarray  # [M, W] uint64: the cells of an item
    items: np.ndarray  # [M, 3] int32: node, moves made, next item of its bucket (-1: none)
    entries: np.ndarray  # [E, 4] int32: a push that led to a node: the player's cell after it,
    # the moves made, the node before it (-1: the start), and the entry before of the same node
    slots: np.ndarray  # [2^k] uint64: hash table of nodes; high half of the hash, number + 1
    buckets: np.ndarray  # [2^k] int32: first open item by moves made + bound, modulo; -1: none
    counters: np.ndarray  # [8] int64
    occupied: np.ndarray  # [C + 1] int8: what is on a cell; the last entry is the wall
    place: np.ndarray  # [boxes] int32: the cell of each box
    side: np.ndarray  # [boxes] int32: the region of each that the player is in
    words: np.ndarray  # [3, W] uint64: bitboards to work on
    cost: np.ndarray  # [boxes, T] int32
    assigned: np.ndarray  # int32, what the assignment works in


def most_nodes(cells: int) -> int:
    """How many nodes fit into `MAX_BYTES`."""
    return MAX_BYTES // (170 + 40 * ((cells - 1) // 64))


def memory(nodes: int, cells: int, boxes: int, targets: int) -> Memory:
    """Memory for `nodes` nodes."""
    words = (cells + 63) // 64
    few = targets <= _ENUMERATED
    return Memory(
        *_room(nodes, words),
        buckets=np.full(1 << (5 * cells + 8).bit_length(), -1, np.int32),
        counters=np.array([0, 0, 0, -1, 0, 0, 0, -1]),
        occupied=np.zeros(cells + 1, np.int8),
        place=np.empty(boxes, np.int32),
        side=np.empty(boxes, np.int32),
        words=np.empty((3, words), np.uint64),
        cost=np.empty((boxes, targets), np.int32),
        assigned=np.empty((1, 1 << targets) if few else (6, max(boxes, targets) + 1), np.int32),
    )


def _room(nodes: int, words: int) -> tuple[np.ndarray, ...]:
    return (
        np.empty((nodes, 2 * words + 1), np.uint64),
        np.empty((nodes, 3), np.int32),
        np.empty((2 * nodes, words), np.uint64),
        np.empty((2 * nodes, 3), np.int32),
        np.empty((4 * nodes, 4), np.int32),
        np.zeros(1 << (2 * nodes - 1).bit_length(), np.uint64),
    )


def grown(old: Memory, nodes: int) -> Memory:
    """The same search with room for `nodes` nodes."""
    room = _room(nodes, old.masks.shape[1])
    for new, rows in zip(room[:5], old[:5], strict=True):
        new[: len(rows)] = rows
    _rehash(room[0], room[5], int(old.counters[NODES]))
    return Memory._make((*room, *old[6:]))


@compiled
def _rehash(nodes, slots, count):
    mask = np.uint64(len(slots) - 1)
    for node in range(count):
        key = nodes[node, -1]
        slot = key & mask
        while slots[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = (key & ~np.uint64(0xFFFFFFFF)) | np.uint64(node + 1)
