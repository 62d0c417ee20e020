"""The solver's tables against regions that are flooded one by one."""

import numpy as np
from hypothesis import given

from environments.games.sokoban.level import Level
from environments.players.sokoban.search import side_of
from environments.players.sokoban.tables import tables
from tests.environments.games.sokoban.boards import random_levels


def flooded(neighbours: np.ndarray, box: int, start: int) -> set[int]:
    """The cells that the player can walk to from `start`, with a box on `box`."""
    found, edge = {start}, [start]
    while edge:
        ahead = {int(cell) for cell in neighbours[edge.pop()]} - {box, len(neighbours)} - found
        found |= ahead
        edge += ahead
    return found


@given(random_levels())
def test_regions_are_what_can_be_walked_to(level: Level):
    found = tables(level.walls, level.targets, level.player)
    assert found is not None
    cells = np.flatnonzero(found.inside).tolist()
    for box in cells:
        regions: list[set[int]] = []
        for k in range(4):
            cell = int(found.neighbours[box, k])
            if cell == len(found.inside):
                assert found.beside[box, k] < 0
                continue
            if not any(cell in region for region in regions):
                regions.append(flooded(found.neighbours, box, cell))
            assert cell in regions[found.beside[box, k]]
        for player in set(cells) - {box}:
            side = side_of(found.order, found.behind, found.beside, box, player)
            assert player in regions[side]
