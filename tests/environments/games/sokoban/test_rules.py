"""Sokoban's rules: hand-made cases, and properties on random and on real levels."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.games.sokoban import rules
from environments.games.sokoban.level import Level
from tests.environments.games.sokoban.boards import level, random_levels, real_levels

UP, DOWN, LEFT, RIGHT, NOOP = range(5)
OPPOSITE = {UP: DOWN, DOWN: UP, LEFT: RIGHT, RIGHT: LEFT}

real = st.deferred(lambda: st.sampled_from(real_levels()))
OPEN = level("#######", "#@    #", "# $ . #", "#  $  #", "# .   #", "#     #", "#######")
levels = st.one_of(random_levels(), real, st.just(OPEN))
# Short plays that shrink well, and long ones, in which boxes are pushed about.
plays = st.one_of(
    st.lists(st.integers(0, 4), min_size=1, max_size=60),
    st.integers(0, 999).map(
        lambda seed: np.random.default_rng(seed).integers(5, size=200).tolist()
    ),
)


def ahead(cell: tuple[int, int], action: int, steps: int = 1) -> tuple[int, int]:
    dy, dx = rules.MOVES[action]
    return cell[0] + steps * dy, cell[1] + steps * dx


def play(start: Level, actions: list[int]):
    """Yields each step: the state before it, the action, the state after it."""
    state = rules.initial_state(start)
    for action in actions:
        before, state = state, rules.apply(state, action)
        yield before, action, state


def walk(state: rules.State, goal: tuple[int, int]) -> list[int] | None:
    """The shortest way for the player to `goal` without a push; None if there is none."""
    queue, seen = deque([(state.player, [])]), {state.player}
    while queue:
        cell, way = queue.popleft()
        if cell == goal:
            return way
        for action in range(4):
            after = ahead(cell, action)
            if after not in seen and not state.level.walls[after] and not state.boxes[after]:
                seen.add(after)
                queue.append((after, [*way, action]))
    return None


def test_real_levels_are_there():
    assert len(real_levels()) >= 100
    for each in real_levels():
        assert each.shape == (10, 10)
        assert each.boxes.sum() == each.targets.sum() == 4


@given(levels, plays)
def test_walls_and_targets_stay_and_boxes_are_conserved(start, actions):
    walls, targets, boxes = start.walls.copy(), start.targets.copy(), start.boxes.copy()
    for _, _, after in play(start, actions):
        assert after.level is start
        assert after.boxes.sum() == boxes.sum()
    np.testing.assert_array_equal(start.walls, walls)
    np.testing.assert_array_equal(start.targets, targets)
    np.testing.assert_array_equal(start.boxes, boxes)


@given(levels, plays)
def test_nothing_enters_a_wall_and_the_player_no_box(start, actions):
    for _, _, after in play(start, actions):
        assert not start.walls[after.player]
        assert not after.boxes[after.player]
        assert not np.any(after.boxes & start.walls)


@given(levels, plays)
def test_every_step_is_a_walk_a_push_or_nothing(start, actions):
    for before, action, after in play(start, actions):
        one, two = ahead(before.player, action), ahead(before.player, action, 2)
        moved = np.argwhere(before.boxes != after.boxes).tolist()
        if action == NOOP or start.walls[one]:
            assert after.player == before.player
            assert not moved
        elif not before.boxes[one]:
            assert after.player == one
            assert not moved
        elif start.walls[two] or before.boxes[two]:  # a push needs a free cell
            assert after.player == before.player
            assert not moved
        else:  # one box moves, one cell
            assert after.player == one
            assert sorted(moved) == sorted([list(one), list(two)])
            assert after.boxes[two]
            assert not after.boxes[one]


@given(levels, plays)
def test_reward_telescopes(start, actions):
    total, solved = 0.0, 0
    for before, _, after in play(start, actions):
        total += rules.reward(before, after)
        solved += rules.solved(after)
    last = list(play(start, actions))[-1][2]
    gained = rules.boxes_on_target(last) - rules.boxes_on_target(rules.initial_state(start))
    assert total == pytest.approx(-0.1 * len(actions) + gained + 10 * solved)


@given(levels, plays)
def test_legal_actions_are_those_that_change_the_state(start, actions):
    for _, _, state in play(start, actions):
        changing = []
        for action in range(5):
            after = rules.apply(state, action)
            if after.player != state.player or np.any(after.boxes != state.boxes):
                changing.append(action)
        assert rules.legal_actions(state) == tuple(changing)


@given(levels, plays)
def test_a_push_is_undone_by_walking_round_and_pushing_back(start, actions):
    for before, action, after in play(start, actions):
        if np.array_equal(before.boxes, after.boxes):
            continue
        behind_box = ahead(after.player, action, 2)
        if start.walls[behind_box] or after.boxes[behind_box]:
            continue
        way = walk(after, behind_box)
        if way is None:
            continue
        for back in [*way, OPPOSITE[action]]:
            after = rules.apply(after, back)
        np.testing.assert_array_equal(after.boxes, before.boxes)
        assert after.player == ahead(before.player, action, 2)


@given(levels, plays)
def test_a_walk_is_undone_by_walking_back(start, actions):
    for before, action, after in play(start, actions):
        if after.player != before.player and np.array_equal(before.boxes, after.boxes):
            back = rules.apply(after, OPPOSITE[action])
            assert back.player == before.player
            np.testing.assert_array_equal(back.boxes, before.boxes)


@given(levels, plays)
def test_planes(start, actions):
    state = list(play(start, actions))[-1][2]
    planes = rules.planes(state)
    assert planes.shape == (*start.shape, 4)
    assert planes.dtype == bool
    named = dict(zip(rules.PLANES, np.moveaxis(planes, -1, 0), strict=True))
    np.testing.assert_array_equal(named["wall"], start.walls)
    np.testing.assert_array_equal(named["target"], start.targets)
    np.testing.assert_array_equal(named["box"], state.boxes)
    assert [tuple(cell) for cell in np.argwhere(named["player"])] == [state.player]
    assert rules.solved(state) == (not np.any(named["box"] & ~named["target"]))


@pytest.mark.parametrize(
    ("rows", "action", "reward", "solved"),
    [
        (["######", "#@ $.#", "######"], RIGHT, -0.1, False),  # a step
        (["######", "#@ $.#", "######"], UP, -0.1, False),  # blocked by a wall
        (["######", "#@$$.#", "######"], RIGHT, -0.1, False),  # blocked by two boxes
        (["######", "#@$. #", "######"], NOOP, -0.1, False),
        (["#######", "#@$. $#", "#######"], RIGHT, 0.9, False),  # onto a target
        (["######", "#@*  #", "######"], RIGHT, -1.1, False),  # off a target
        (["######", "#@*. #", "######"], RIGHT, 9.9, True),  # from one target to another
        (["######", "#@$. #", "######"], RIGHT, 10.9, True),  # the last box
    ],
)
def test_rewards_by_hand(rows, action, reward, solved):
    before = rules.initial_state(level(*rows))
    after = rules.apply(before, action)
    assert rules.reward(before, after) == pytest.approx(reward)
    assert rules.solved(after) is solved


@pytest.mark.parametrize(
    ("action", "player"), [(UP, (1, 2)), (DOWN, (3, 2)), (LEFT, (2, 1)), (RIGHT, (2, 3))]
)
def test_directions(action, player):
    start = rules.initial_state(level("#####", "#   #", "# @ #", "#   #", "#####"))
    assert rules.apply(start, action).player == player


@given(random_levels())
def test_a_state_is_found_again_from_its_planes(start):
    state = rules.initial_state(start)
    legal = 0 < start.targets.sum() == start.boxes.sum()
    found = rules.state_of(rules.planes(state))
    if found is None:
        assert not legal
        return
    assert legal
    np.testing.assert_array_equal(rules.planes(found), rules.planes(state))
    assert found.player == state.player


SEEN = ("#####", "#@$.#", "#  $#", "# .*#", "#####")


@pytest.mark.parametrize(
    ("row", "column", "plane", "value"),
    [
        (1, 1, "player", False),  # nobody
        (2, 1, "player", True),  # two
        (1, 1, "box", True),  # under a box
        (1, 1, "wall", True),
        (2, 3, "wall", True),  # a box in a wall
        (1, 3, "wall", True),  # a target in a wall
        (0, 2, "target", True),
        (2, 1, "target", True),  # more targets than boxes
        (1, 3, "target", False),  # fewer
    ],
)
def test_planes_that_show_no_state_are_none(row, column, plane, value):
    shown = rules.planes(rules.initial_state(level(*SEEN)))
    assert rules.state_of(shown) is not None
    shown[row, column, rules.PLANES.index(plane)] = value
    assert rules.state_of(shown) is None
