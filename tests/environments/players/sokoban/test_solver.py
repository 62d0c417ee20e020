"""The solver: as few moves as breadth-first search finds, plans that the rules accept, limits."""

import os
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from environments.games.sokoban import rules
from environments.games.sokoban.level import Level
from environments.games.sokoban.sources import load_levels
from environments.players.sokoban import memory
from environments.players.sokoban.solver import MAX_NODES, Solution, solve
from tests.environments.games.sokoban.boards import level, real_levels
from tests.environments.players.sokoban.breadth_first import fewest_moves

RIGHT = rules.ACTIONS.index("right")


def replay(start: Level, solution: Solution) -> None:
    """Checks that a plan solves a level by the rules, with its last move and not before."""
    state = rules.initial_state(start)
    for action in solution.actions:
        assert not rules.solved(state)
        after = rules.apply(state, action)
        assert after is not state, "a move that is blocked"
        state = after
    assert rules.solved(state)


def assert_fewest(start: Level) -> None:
    fewest, found = fewest_moves(start), solve(start)
    if fewest is None:
        assert (found.status, found.actions) == ("unsolvable", ())
    else:
        assert (found.status, len(found.actions)) == ("solved", fewest)
        replay(start, found)


@pytest.mark.parametrize(
    ("size", "boxes", "count"), [(5, 1, 60), (6, 2, 100), (6, 3, 25), (7, 2, 15)]
)
def test_as_few_moves_as_breadth_first_search_on_generated_levels(size, boxes, count):
    for each in load_levels(f"generated:size={size},boxes={boxes},count={count},seed=3"):
        assert_fewest(each)


@st.composite
def small_levels(draw: st.DrawFn) -> Level:
    """Any boxes, targets and walls, also far apart, blocked, or with more targets than boxes."""
    height, width = draw(st.integers(3, 5)), draw(st.integers(3, 6))
    inside = height * width
    cells = draw(st.permutations(range(inside)))
    boxes, targets = draw(st.integers(1, 3)), draw(st.integers(0, 4))
    walls = draw(st.integers(0, inside // 3))
    masks = np.zeros((3, inside), bool)
    masks[0, cells[1 : 1 + walls]] = True
    masks[2, cells[1 + walls : 1 + walls + boxes]] = True
    free = [cell for cell in range(inside) if not masks[0, cell]]
    masks[1, draw(st.permutations(free))[:targets]] = True
    boards = np.zeros((3, height + 2, width + 2), bool)
    boards[0] = True
    boards[:, 1:-1, 1:-1] = masks.reshape(3, height, width)
    row, column = divmod(cells[0], width)
    return Level(*boards, player=(row + 1, column + 1))


@settings(max_examples=150)
@given(small_levels())
@example(level("#####", "#@$.#", "#####"))
@example(level("######", "#@$$.#", "#.   #", "######"))  # two boxes in a row
@example(level("#######", "#@$.#*#", "#######"))  # a box out of reach, on its target
@example(level("#######", "#@*.#$#", "#######"))  # a box out of reach, off its target
@example(level("######", "#@ $.#", "#  $.#", "######"))
@example(level("#####", "#.$@#", "#.$ #", "#   #", "#####"))
def test_as_few_moves_as_breadth_first_search_on_any_level(start):
    assert_fewest(start)


@pytest.mark.parametrize(("boxes", "count"), [(1, 15), (2, 2)])
def test_boards_of_more_than_one_word(boxes, count):
    """A corridor that leads out of a small level makes its board larger than 64 cells."""
    for each in load_levels(f"generated:size=6,boxes={boxes},count={count},seed=4"):
        corridor = np.zeros((6, 30), bool)
        walls = np.hstack([each.walls, ~corridor])
        walls[each.player[0], each.player[1] : -1] = False
        targets, boxes = (np.hstack([each.targets, corridor]), np.hstack([each.boxes, corridor]))
        assert_fewest(Level(walls, targets, boxes, each.player))
        row, column = each.player
        assert_fewest(Level(walls.T, targets.T, boxes.T, (column, row)))


def test_many_boxes():
    """More than are enumerated, each in a niche of its own below a corridor."""
    boxes = 8
    niches = ["#" + "$#" * boxes, "#" + ".#" * boxes]
    wall = "#" * (2 * boxes + 1)
    start = level(wall, f"#@{' ' * (2 * boxes - 2)}#", *niches, wall)
    found = solve(start)
    assert found.status == "solved"
    replay(start, found)
    assert len(found.actions) == boxes + 3 * (boxes - 1)  # a push each; up, and two along between


def test_real_levels():
    for each in real_levels():
        found = solve(each)
        assert found.status == "solved"
        replay(each, found)


def test_any_position_may_be_the_start():
    start = real_levels()[0]
    plan = solve(start).actions
    state = rules.initial_state(start)
    for done, action in enumerate(plan[:-1], 1):
        state = rules.apply(state, action)
        if done % 5 == 0:
            assert len(solve(state).actions) == len(plan) - done


def test_solved_already():
    start = level("#####", "#@* #", "#####")
    assert solve(start) == Solution("solved", (), 0)


@pytest.mark.parametrize(
    "rows",
    [
        ("######", "#@$ .#", "#   $#", "#.   #", "######"),  # a corner
        ("######", "#@   #", "# $$ #", "#    #", "#.. ##", "######"),
        ("########", "#@   ..#", "#   ####", "##$$#  #", "## #   #", "########"),
    ],
)
def test_hopeless_levels_are_said_to_be(rows):
    start = level(*rows)
    assert (solve(start).status == "unsolvable") == (fewest_moves(start) is None)


def hard_one() -> Level:
    """A room of 12x12 with ten boxes and no hint of an order: too much for any search here."""
    rows = ["#" * 14] + ["#" + " " * 12 + "#"] * 12 + ["#" * 14]
    board = [list(row) for row in rows]
    for k in range(10):
        board[3 + 2 * (k % 4)][3 + 2 * (k // 4)] = "$"
        board[1 + k][12] = "."
    board[1][1] = "@"
    return level(*("".join(row) for row in board))


def test_limits():
    start = hard_one()
    found = solve(start, max_nodes=3000)
    assert (found.status, found.actions) == ("gave_up", ())
    assert found.expanded > 0
    assert solve(start, max_nodes=1) == Solution("gave_up", (), 0)
    deadline = time.monotonic() + 0.2
    found = solve(start, deadline=deadline)
    assert found.status == "gave_up"
    assert found.expanded < 600_000  # half of what it expands until it has no more room
    assert time.monotonic() >= deadline
    assert solve(start, deadline=deadline).expanded == 0
    asked = iter([False, False, True])
    assert solve(start, cancelled=lambda: next(asked)).status == "gave_up"


def room(side: int, *boxes: tuple[int, int]) -> Level:
    """An empty square room, the player in a corner, boxes two cells to the left of targets."""
    board = [list("#" * side)] + [list(f"#{' ' * (side - 2)}#") for _ in range(side - 2)]
    board.append(list("#" * side))
    for row, column in boxes:
        board[row][column], board[row][column + 2] = "$", "."
    board[1][1] = "@"
    return level(*("".join(row) for row in board))


@pytest.mark.parametrize("side", [30, 200, 300])
def test_large_boards_are_solved_in_little_time_and_memory(side):
    start = room(side, (side // 2, side // 2))
    tracemalloc.start()
    found = solve(start, deadline=time.monotonic() + 60)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.status == "solved"
    assert len(found.actions) == 2 * (side // 2 - 1) + 1
    # Virtual: what a search has room for at first; a table of cells by cells would be 8 GB.
    assert peak < 1.5 * memory.MAX_BYTES


def test_large_boards_keep_to_the_limits():
    start = room(200, *((10 * k, 150) for k in range(1, 15)), *((10 * k, 50) for k in range(1, 15)))
    begin = time.monotonic()
    assert solve(start, deadline=begin).status == "gave_up"
    found = solve(start, deadline=time.monotonic() + 1)
    assert found.status == "gave_up"
    assert found.expanded > 0
    assert solve(start, cancelled=lambda: True) == Solution("gave_up", (), 0)


def test_no_board_takes_more_memory_than_there_is_for_a_search():
    for cells in (9, 64, 65, 400, 10_000, 90_000):
        nodes = memory.most_nodes(cells)
        arrays = memory.memory(min(nodes, 1 << 12), cells, 2, 2)[:6]
        bytes_of_one = sum(array.nbytes for array in arrays) / min(nodes, 1 << 12)
        assert nodes * bytes_of_one < 1.2 * memory.MAX_BYTES
    assert memory.most_nodes(43 * 43) > MAX_NODES  # as many as ever on boards that are about


def test_memory_grows_with_the_search():
    """These need more room than a search begins with."""
    large = [each for each in real_levels() if solve(each, max_nodes=1 << 13).status == "gave_up"]
    assert large
    for each in large:
        replay(each, solve(each))


@pytest.mark.slow
@pytest.mark.skipif("MORAVEC_BOXOBAN" not in os.environ, reason="MORAVEC_BOXOBAN is not set")
@pytest.mark.parametrize("file", ["unfiltered/valid", "medium/valid", "hard"])
def test_every_published_level(file):
    levels = load_levels(str(Path(os.environ["MORAVEC_BOXOBAN"]) / file))
    for each in levels[:2000]:
        found = solve(each)
        assert found.status == "solved"
        replay(each, found)
