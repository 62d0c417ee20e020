"""A* for plans of fewest moves, on bitboards: one node for all cells the player can be on.

A node is a set of boxes, and for each box the region that the player is in (see `tables`), which
walking does not change. An item is a node, a number of moves, and the cells on which the player
can first be after so many: one step takes all of them on at once, to the cells beside them and to
the nodes that pushes lead to. The bound on the moves to come is the least sum of push distances,
each box to a target of its own. It is the same for all of a node and consistent, so that no cell
of a node is reached later by fewer moves. Nodes with a box that no target is in reach of, or with
boxes that block each other for good, are dropped.

The search works in pieces: `run` returns after so many items, or when its memory is full, and
goes on where it stopped. Letters: `C` cells, `T` targets, `N` nodes, `M` items, `E` entries, `W`
words of a bitboard.

Imports numba: import this only when levels are solved. See `compiling` on why so much is in one
file.
"""

import numpy as np

from environments.games.sokoban.symmetry import mix
from environments.players.sokoban.compiling import compiled, inlined
from environments.players.sokoban.memory import (
    BOUND,
    CELL,
    ENTRIES,
    ENTRY,
    EXPANDED,
    FREE,
    GOAL,
    ITEM,
    ITEMS,
    LEAST,
    MOVES,
    NEXT,
    NODE,
    NODES,
    OPEN,
    OTHER,
    PARENT,
    WHEN,
    Memory,
)
from environments.players.sokoban.tables import FAR, Tables

RUNNING, SOLVED, UNSOLVABLE, FULL = range(4)
_0, _1, _64 = (np.uint64(number) for number in (0, 1, 64))
_LOW = np.uint64(0xFFFFFFFF)
_CLEAR, _BOX, _WALL, _LOOSE = range(4)  # what `Memory.occupied` says
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_POSITIONS = np.zeros(64, np.int64)
for _k in range(64):
    _POSITIONS[(int(_DE_BRUIJN) << _k & 0xFFFFFFFFFFFFFFFF) >> 58] = _k


@compiled
def _key(cell, side):
    """The share of one box in the hash of a node, which is the exclusive or of all shares."""
    return mix(np.uint64(4 * cell + side + 1))


@compiled
def side_of(order, behind, beside, box, player):
    """The region that the player is in, if there is a box on `box`."""
    place = order[player]
    for k in range(4):
        if behind[box, k, 0] <= place < behind[box, k, 1]:
            return beside[box, k]
    return beside[box, 4]


@compiled
def _find(nodes, slots, boxes, key):
    """The slot of a node in the hash table, or the empty one where it belongs."""
    mask = np.uint64(len(slots) - 1)
    slot = key & mask
    while slots[slot] != 0:
        entry = slots[slot]
        if (entry ^ key) <= _LOW:
            node = np.int64(entry & _LOW) - 1
            same = nodes[node, -1] == key
            for word in range(len(boxes)):
                same &= nodes[node, word] == boxes[word]
            if same:
                break
        slot = (slot + _1) & mask
    return slot


@compiled
def _shift(words, ways, number, step):
    """One word of the cells that lie one step on from `words`, where `ways` lets them pass."""
    if step > 0:
        first, rest = number - (step >> 6), np.uint64(step & 63)
        value = (words[first] & ways[first]) << rest if first >= 0 else _0
        if first > 0 and rest != 0:
            value |= (words[first - 1] & ways[first - 1]) >> (_64 - rest)
        return value
    first, rest = number + (-step >> 6), np.uint64(-step & 63)
    value = (words[first] & ways[first]) >> rest if first < len(words) else _0
    if first + 1 < len(words) and rest != 0:
        value |= (words[first + 1] & ways[first + 1]) << (_64 - rest)
    return value


@compiled
def run(
    limit, boxes, player,
    inside, targets, steps, neighbours, ways, order, behind, beside, distance, dead, hopeless,
    nodes, info, masks, items, entries, slots, buckets, counters, occupied, place, side, words,
    cost, assigned,
):  # fmt: skip
    """Starts the search if it is new, expands up to `limit` items, and returns its status.

    Takes the start, `boxes [C] bool` and the player's cell, and then the fields of `Tables` (but
    the first) and of `Memory` one by one, for numba is slow to look into named tuples.
    """
    tables = Tables(
        (0, 0, 0, 0), inside, targets, steps, neighbours, ways, order, behind, beside, distance,
        dead, hopeless,
    )  # fmt: skip
    memory = Memory(
        nodes, info, masks, items, entries, slots, buckets, counters, occupied, place, side, words,
        cost, assigned,
    )  # fmt: skip
    if counters[NODES] == 0 and not _begin(tables, memory, boxes, player):
        return UNSOLVABLE
    most = 4 * len(place) + 1  # items, nodes and entries that one item can lead to
    last = counters[EXPANDED] + limit
    while counters[OPEN] > 0:
        bucket = counters[LEAST] & (len(buckets) - 1)
        item = buckets[bucket]
        if item < 0:
            counters[LEAST] += 1
            continue
        node = items[item, NODE]
        if info[node, BOUND] == 0:
            counters[GOAL] = item
            return SOLVED
        if counters[EXPANDED] == last:
            return RUNNING
        if (
            counters[NODES] + most > len(info)
            or counters[ITEMS] + most > len(items)
            or counters[ENTRIES] + most > len(entries)
        ):
            return FULL
        buckets[bucket] = items[item, NEXT]
        counters[OPEN] -= 1
        counters[EXPANDED] += 1
        if info[node, ITEM] == item:
            info[node, ITEM] = -1
        _expand(tables, memory, item)
        items[item, NEXT] = counters[FREE]
        counters[FREE] = item
    return UNSOLVABLE


@inlined
def _begin(tables, memory, boxes, player):
    """Makes the first node and item; False if it is proved that there is no solution."""
    nodes, info, slots, counters = memory.nodes, memory.info, memory.slots, memory.counters
    words, key = memory.words[0], _0
    for word in range(len(words)):
        words[word] = 0
    for cell in range(len(boxes)):
        if boxes[cell]:
            words[cell >> 6] |= _1 << np.uint64(cell & 63)
            key ^= _key(cell, side_of(tables.order, tables.behind, tables.beside, cell, player))
    memory.occupied[len(boxes)] = _WALL
    bound = _judge(
        tables.neighbours, tables.hopeless, tables.targets, tables.order, tables.behind,
        tables.beside, tables.distance,
        memory.occupied, memory.place, memory.side, memory.cost, memory.assigned, words, player, -1,
    )  # fmt: skip
    if bound >= FAR:
        return False
    counters[LEAST] = bound
    node = _add(nodes, info, slots, counters, words, bound, key, _find(nodes, slots, words, key))
    _arrive(
        nodes, info, memory.masks, memory.items, memory.entries, memory.buckets, counters,
        node, player, 0, -1,
    )  # fmt: skip
    return True


@compiled
def _add(nodes, info, slots, counters, boxes, bound, key, slot):
    """Adds a node to the hash table."""
    node, words = counters[NODES], len(boxes)
    counters[NODES] += 1
    for word in range(words):
        nodes[node, word] = boxes[word]
        nodes[node, words + word] = 0
    nodes[node, 2 * words] = key
    row = info[node]
    row[BOUND], row[ITEM], row[ENTRY] = bound, -1, -1
    slots[slot] = (key & ~_LOW) | np.uint64(node + 1)
    return node


@compiled
def _arrive(nodes, info, masks, items, entries, buckets, counters, node, cell, moves, parent):
    """A push from `parent` leads to a node, the player on `cell`, after so many moves."""
    word, bit = cell >> 6, _1 << np.uint64(cell & 63)
    if nodes[node, masks.shape[1] + word] & bit:
        return
    item = _open(info, items, masks, buckets, counters, node, moves)
    if masks[item, word] & bit:
        return
    masks[item, word] |= bit
    number = counters[ENTRIES]
    counters[ENTRIES] += 1
    entries[number, CELL], entries[number, WHEN] = cell, moves
    entries[number, PARENT], entries[number, OTHER] = parent, info[node, ENTRY]
    info[node, ENTRY] = number


@compiled
def _open(info, items, masks, buckets, counters, node, moves):
    """The open item of a node and a number of moves: the one there is, or a new one."""
    item = info[node, ITEM]
    if item >= 0 and items[item, MOVES] == moves:
        return item
    item = counters[FREE]
    if item >= 0:
        counters[FREE] = items[item, NEXT]
    else:
        item = counters[ITEMS]
        counters[ITEMS] += 1
    counters[OPEN] += 1
    for word in range(masks.shape[1]):
        masks[item, word] = 0
    bucket = (moves + info[node, BOUND]) & (len(buckets) - 1)
    items[item, NODE], items[item, MOVES], items[item, NEXT] = node, moves, buckets[bucket]
    buckets[bucket] = item
    info[node, ITEM] = item
    return item


@inlined
def _expand(tables, memory, item):
    """Takes the player on from all cells of an item at once."""
    nodes, words, ways = memory.nodes, memory.words, tables.ways
    node, moves, size = memory.items[item, NODE], memory.items[item, MOVES], words.shape[1]
    cells, ahead, onward = memory.masks[item], words[1], words[2]
    some = _0
    for word in range(size):
        cells[word] &= ~nodes[node, size + word]
        nodes[node, size + word] |= cells[word]
        onward[word] = 0
        some |= cells[word]
    if some == 0:
        return
    for k in range(4):
        step, pushes = tables.steps[k], _0
        for word in range(size):
            value = _shift(cells, ways[k], word, step)
            ahead[word] = value & nodes[node, word]
            onward[word] |= value & ~nodes[node, word]
            pushes |= ahead[word]
        if pushes == 0:
            continue
        for word in range(size):
            beyond = _shift(ahead, ways[k], word, step) & ~nodes[node, word]
            while beyond != 0:
                bit = beyond & (~beyond + _1)
                beyond ^= bit
                new = 64 * word + _POSITIONS[(bit * _DE_BRUIJN) >> np.uint64(58)]
                _push(tables, memory, node, new - step, new, k, moves + 1)
    some = _0
    for word in range(size):
        onward[word] &= ~nodes[node, size + word]
        some |= onward[word]
    if some != 0:
        target = _open(
            memory.info,
            memory.items,
            memory.masks,
            memory.buckets,
            memory.counters,
            node,
            moves + 1,
        )
        for word in range(size):
            memory.masks[target, word] |= onward[word]


@inlined
def _push(tables, memory, node, old, new, k, moves):
    """Goes to the node in which the box on `old` is on `new`, unless it is hopeless."""
    beside, nodes, child = tables.beside, memory.nodes, memory.words[0]
    side = beside[new, k ^ 1]
    if tables.dead[new, side]:
        return
    for word in range(len(child)):
        child[word] = nodes[node, word]
    child[old >> 6] ^= _1 << np.uint64(old & 63)
    child[new >> 6] ^= _1 << np.uint64(new & 63)
    key = nodes[node, -1] ^ _key(old, beside[old, k ^ 1]) ^ _key(new, side)
    slot = _find(nodes, memory.slots, child, key)
    found = np.int64(memory.slots[slot] & _LOW) - 1
    if found < 0:
        bound = _judge(
            tables.neighbours, tables.hopeless, tables.targets, tables.order, tables.behind,
            beside, tables.distance,
            memory.occupied, memory.place, memory.side, memory.cost, memory.assigned,
            child, old, new,
        )  # fmt: skip
        if bound < FAR:
            found = _add(nodes, memory.info, memory.slots, memory.counters, child, bound, key, slot)
    if found >= 0:
        _arrive(
            nodes, memory.info, memory.masks, memory.items, memory.entries, memory.buckets,
            memory.counters, found, old, moves, node,
        )  # fmt: skip


@compiled
def _judge(
    neighbours, hopeless, targets, order, behind, beside, distance, occupied, place, side, cost,
    assigned, boxes, player, moved,
):  # fmt: skip
    """The bound of a node; FAR or more if it is hopeless. `moved`: the box pushed last, or -1."""
    count, bound = 0, FAR
    for word in range(len(boxes)):
        bits = boxes[word]
        while bits != 0:
            bit = bits & (~bits + _1)
            bits ^= bit
            cell = 64 * word + _POSITIONS[(bit * _DE_BRUIJN) >> np.uint64(58)]
            occupied[cell] = _BOX
            place[count], side[count] = cell, side_of(order, behind, beside, cell, player)
            count += 1
    if moved < 0 or not _frozen(neighbours, hopeless, targets, occupied, place, moved):
        bound = _bound(distance, place, side, cost, assigned)
    for cell in place:
        occupied[cell] = _CLEAR
    return bound


@compiled
def _blocked(neighbours, hopeless, occupied, cell):
    """Whether a box on `cell` cannot be pushed while boxes that are not loose stay."""
    for k in (0, 2):
        a, b = neighbours[cell, k], neighbours[cell, k + 1]
        held = occupied[a] == _BOX or occupied[a] == _WALL
        held |= occupied[b] == _BOX or occupied[b] == _WALL
        if not held and not (hopeless[a] and hopeless[b]):
            return False
    return True


@compiled
def _frozen(neighbours, hopeless, targets, occupied, place, moved):
    """Whether boxes, that on `moved` among them, block each other for good off a target."""
    if not _blocked(neighbours, hopeless, occupied, moved):
        return False
    changed = True
    while changed:
        changed = False
        for cell in place:
            if occupied[cell] == _BOX and not _blocked(neighbours, hopeless, occupied, cell):
                occupied[cell] = _LOOSE
                changed = True
    frozen = False
    for cell in place:
        frozen |= occupied[cell] == _BOX and not targets[cell]
        occupied[cell] = _BOX
    return frozen


@compiled
def _bound(distance, place, side, cost, assigned):
    """The fewest pushes, each box alone and to a target of its own; FAR or more: impossible."""
    boxes, targets = cost.shape
    for box in range(boxes):
        for target in range(targets):
            cost[box, target] = distance[place[box], side[box], target]
    if len(assigned) == 1:
        return _assign_few(cost, assigned[0])
    return _assign_many(cost, assigned)


@compiled
def _assign_few(cost, subsets):
    """The least sum over all ways to give each row a column of its own; by sets of columns."""
    boxes, targets = cost.shape
    subsets[0], best = 0, FAR
    for used in range(1, 1 << targets):
        size = 0
        for target in range(targets):
            size += (used >> target) & 1
        least = FAR
        if size <= boxes:
            for target in range(targets):
                if (used >> target) & 1:
                    least = min(least, subsets[used ^ (1 << target)] + cost[size - 1, target])
        subsets[used] = least
        if size == boxes:
            best = min(best, least)
    return best


@compiled
def _assign_many(cost, scratch):
    """The same by shortest augmenting paths (Kuhn 1955; Jonker and Volgenant 1987)."""
    rows, columns = cost.shape
    u, v, match, way = scratch[0], scratch[1], scratch[2], scratch[3]
    least, done = scratch[4], scratch[5]
    # Rows and columns are numbered from 1; column 0 holds the row that is being placed.
    for j in range(max(rows, columns) + 1):
        u[j], v[j], match[j] = 0, 0, 0
    for row in range(1, rows + 1):
        match[0], column = row, 0
        for j in range(columns + 1):
            least[j], done[j] = 1 << 30, 0
        while match[column] != 0:
            done[column] = 1
            here, step, following = match[column], 1 << 30, 0
            for j in range(1, columns + 1):
                if done[j]:
                    continue
                reduced = cost[here - 1, j - 1] - u[here] - v[j]
                if reduced < least[j]:
                    least[j], way[j] = reduced, column
                if least[j] < step:
                    step, following = least[j], j
            for j in range(columns + 1):
                if done[j]:
                    u[match[j]] += step
                    v[j] -= step
                else:
                    least[j] -= step
            column = following
        while column:
            match[column] = match[way[column]]
            column = way[column]
    total = 0
    for j in range(1, columns + 1):
        if match[j]:
            total += cost[match[j] - 1, j - 1]
    return total
