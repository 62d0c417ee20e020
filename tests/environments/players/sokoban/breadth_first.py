"""Breadth-first search over single moves: how few moves solve a level, the plain way."""

from environments.games.sokoban import rules
from environments.games.sokoban.level import Level


def fewest_moves(level: Level) -> int | None:
    """The length of a shortest solution, by the rules of pushing alone; None if there is none."""
    width = level.shape[1]
    steps = [dy * width + dx for dy, dx in rules.MOVES[:4]]
    flat = {name: set(getattr(level, name).ravel().nonzero()[0]) for name in ("walls", "targets")}
    start = (frozenset(level.boxes.ravel().nonzero()[0]), level.player[0] * width + level.player[1])
    seen, layer, depth = {start}, [start], 0
    while layer:
        if any(boxes <= flat["targets"] for boxes, _ in layer):
            return depth
        following = []
        for boxes, player in layer:
            for step in steps:
                ahead, beyond = player + step, player + 2 * step
                if ahead in flat["walls"]:
                    continue
                after = boxes
                if ahead in boxes:
                    if beyond in boxes or beyond in flat["walls"]:
                        continue
                    after = boxes - {ahead} | {beyond}
                state = (after, ahead)
                if state not in seen:
                    seen.add(state)
                    following.append(state)
        layer, depth = following, depth + 1
    return None
