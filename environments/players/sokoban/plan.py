"""Reads the plan out of a search that has reached its goal.

Imports numba: import this only when levels are solved.
"""

import numpy as np

from environments.players.sokoban.compiling import compiled
from environments.players.sokoban.memory import (
    CELL,
    ENTRY,
    GOAL,
    MOVES,
    NODE,
    OTHER,
    PARENT,
    WHEN,
    Memory,
)
from environments.players.sokoban.tables import Tables


def plan(tables: Tables, memory: Memory) -> list[int]:
    """The moves from the start to the goal that a search has found."""
    found = (memory.nodes, memory.info, memory.masks, memory.items, memory.entries)
    item = int(memory.counters[GOAL])
    actions = np.empty(memory.items[item, MOVES], np.int8)
    scratch = np.empty((2, len(tables.neighbours)), np.int32)
    _unroll(tables.neighbours, *found, item, actions, *scratch)
    return actions.tolist()


@compiled
def _unroll(neighbours, nodes, info, masks, items, entries, item, actions, walk, queue):
    """Writes the moves that lead from the start to a solved item into `actions [moves]`."""
    node, filled = items[item, NODE], items[item, MOVES]
    player = 0
    while not _holds(masks, item, player):
        player += 1
    while True:
        entry = _walk_back(neighbours, nodes, info, entries, node, player, filled, walk, queue)
        cell = entries[entry, CELL]
        begin = entries[entry, WHEN]
        # Along falling distances from where the walk began to where it ended.
        while cell != player:
            k = 0
            while not _nearer(neighbours, walk, cell, k):
                k += 1
            actions[begin] = k
            cell = neighbours[cell, k]
            begin += 1
        cell, filled = entries[entry, CELL], entries[entry, WHEN]
        parent = entries[entry, PARENT]
        if parent < 0:
            return
        for k in range(4):
            new = neighbours[cell, k]
            pushed = new < len(walk) and _holds(nodes, node, new)
            if pushed and not _holds(nodes, parent, new):
                player = neighbours[cell, k ^ 1]
                filled -= 1
                actions[filled] = k
        node = parent


@compiled
def _holds(boards, row, cell):
    return (boards[row, cell >> 6] >> np.uint64(cell & 63)) & np.uint64(1) != 0


@compiled
def _nearer(neighbours, walk, cell, k):
    ahead = neighbours[cell, k]
    return ahead < len(walk) and walk[ahead] == walk[cell] - 1


@compiled
def _walk_back(neighbours, nodes, info, entries, node, player, moves, walk, queue):
    """The entry of a node from which `player` was reached after so many moves.

    `walk [C]` receives the distances from `player`, as far as they are needed; -1 beyond.
    """
    for cell in range(len(walk)):
        walk[cell] = -1
    queue[0], walk[player] = player, 0
    read, filled = 0, 1
    while read < filled:
        cell = queue[read]
        read += 1
        for k in range(4):
            ahead = neighbours[cell, k]
            if ahead < len(walk) and walk[ahead] < 0 and not _holds(nodes, node, ahead):
                walk[ahead] = walk[cell] + 1
                queue[filled] = ahead
                filled += 1
    entry = info[node, ENTRY]
    while True:
        cell = entries[entry, CELL]
        if walk[cell] >= 0 and entries[entry, WHEN] + walk[cell] == moves:
            return entry
        entry = entries[entry, OTHER]
