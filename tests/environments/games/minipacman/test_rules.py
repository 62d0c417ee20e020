"""MiniPacman's rules: what is laid down, what never happens, and chosen moments."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments.games.minipacman import draws, rules
from environments.games.minipacman.maze import DIRECTIONS, FREE, OFFSETS, OPEN, WALLS, WIDTH
from environments.games.minipacman.modes import MODES
from environments.games.minipacman.rules import NOWHERE, Ghost
from tests.environments.games.minipacman.states import (
    DOWN,
    LEFT,
    MOVE,
    REGULAR,
    REST,
    RIGHT,
    STAY,
    STRAIGHT,
    UP,
    at,
    drawn,
    play,
    state,
    total,
    words,
)

PLAY = {
    "mode": st.sampled_from(sorted(MODES)).map(MODES.__getitem__),
    "seed": st.integers(0, 2**32 - 1),
    "level": st.integers(1, rules.MAX_LEVEL),
}
WORDS = st.lists(
    st.integers(0, 2**32 - 1), min_size=draws.NUM_PLACE_WORDS, max_size=draws.NUM_PLACE_WORDS
)


def test_the_maze_is_closed_symmetric_connected_and_without_blind_ends():
    assert WALLS.shape == (15, 19)
    np.testing.assert_array_equal(WALLS, WALLS[:, ::-1])
    assert WALLS[0].all()
    assert WALLS[-1].all()
    assert WALLS[:, 0].all()
    assert WALLS[8:11, 7:12].all()  # the block in the middle
    reached, ahead = {int(FREE[0])}, [int(FREE[0])]
    while ahead:
        cell = ahead.pop()
        ways = [cell + OFFSETS[d] for d in DIRECTIONS if OPEN[cell] >> d & 1]
        assert len(ways) >= 2
        assert not WALLS.flat[ways].any()
        ahead += [way for way in ways if way not in reached]
        reached.update(ways)
    assert reached == set(FREE.tolist())


def test_the_last_level_has_all_ghosts():
    assert rules.num_ghosts(rules.MAX_LEVEL) == draws.MAX_GHOSTS


@pytest.mark.parametrize(
    ("name", "rewards"),
    {
        "regular": (0, 1, 2, 5, 0),
        "avoid": (0.1, -0.1, -5, -10, -20),
        "hunt": (0, 0, 1, 10, -20),
        "ambush": (0, -0.1, 0, 10, -20),
        "rush": (0, -0.1, 10, 0, 0),
    }.items(),
)
def test_rewards(name, rewards):
    nothing = {"food": 0, "pills": 0, "ghosts": 0, "caught": False, "next_level": False}
    step = rules.reward(MODES[name], rules.Events(**nothing))
    each = [
        rules.reward(MODES[name], rules.Events(**{**nothing, kind: True})) - step
        for kind in ("food", "pills", "ghosts", "caught")
    ]
    assert (step, *each) == pytest.approx(rewards)


@given(level=st.integers(1, rules.MAX_LEVEL), places=WORDS)
@settings(max_examples=60, deadline=None)
def test_a_level_begins_as_it_should(level, places):
    began = rules.begin(level, places)
    assert not WALLS.flat[began.player]
    expected = ~WALLS
    expected.flat[began.player] = False
    np.testing.assert_array_equal(began.food, expected)
    assert began.pills.sum() == 2
    assert not (began.pills & WALLS).any()
    assert not began.pills.flat[began.player]
    assert len(began.ghosts) == 1 + (level - 1) // 2
    for ghost in began.ghosts:
        assert not WALLS.flat[ghost.cell]
        (row, column), (y, x) = divmod(began.player, WIDTH), divmod(ghost.cell, WIDTH)
        assert max(abs(row - y), abs(column - x)) > 5
    assert (began.power, began.level_steps, began.level) == (0, 0, level)


def test_every_free_cell_is_a_start_for_all():
    rng = np.random.default_rng(0)
    players, pills, ghosts = set(), set(), set()
    for _ in range(2000):
        began = rules.begin(9, drawn(rng, draws.NUM_PLACE_WORDS))
        players.add(began.player)
        pills.update(np.flatnonzero(began.pills).tolist())
        ghosts.update(ghost.cell for ghost in began.ghosts)
    assert players == pills == ghosts == set(FREE.tolist())


@given(**PLAY)
@settings(max_examples=40, deadline=None)
def test_what_always_holds(mode, seed, level):
    happened, left = [], None
    for before, action, _, after, events in play(mode, seed, 150, level=level):
        happened.append(events)
        left = left or _left(before)
        moved = before.player + OFFSETS[action]
        where = before.player if WALLS.flat[moved] else moved
        # Whatever is there is eaten, and nothing else; nothing comes back.
        assert events.food == before.food.flat[where]
        assert events.pills == before.pills.flat[where]
        left = {kind: count - getattr(events, kind) for kind, count in left.items()}
        if events.next_level:
            assert not events.caught
            assert after.level == min(before.level + 1, rules.MAX_LEVEL)
            assert left[mode.goal] == 0 or before.level_steps + 1 == mode.level_steps
            assert _left(after) == {
                "food": len(FREE) - 1,
                "pills": 2,
                "ghosts": rules.num_ghosts(after.level),
            }
            left = None
            continue
        assert after.player == where
        assert _left(after) == left
        assert left[mode.goal] > 0 or events.caught
        assert after.power == (20 if events.pills else max(before.power - 1, 0))
        assert after.level_steps == before.level_steps + 1
        assert not (events.caught and (before.power or events.pills))
        assert not (events.ghosts and not before.power and not events.pills)
        for old, new in zip(before.ghosts, after.ghosts, strict=True):
            _check_move(old, new)
    assert sum(rules.reward(mode, events) for events in happened) == pytest.approx(
        total(mode, happened)
    )


def _left(moment: rules.State) -> dict[str, int]:
    """What there is to be eaten."""
    ghosts = sum(ghost.cell != NOWHERE for ghost in moment.ghosts)
    return {"food": moment.food.sum(), "pills": moment.pills.sum(), "ghosts": ghosts}


def _check_move(old: Ghost, new: Ghost) -> None:
    if NOWHERE in (old.cell, new.cell):
        assert new.cell == NOWHERE
        return
    assert not WALLS.flat[new.cell]
    if new.cell == old.cell:
        assert new.direction == old.direction
        return
    assert new.cell == old.cell + OFFSETS[new.direction]
    if old.direction:
        assert OFFSETS[new.direction] != -OFFSETS[old.direction]  # never back


@given(**PLAY)
@settings(max_examples=15, deadline=None)
def test_a_state_is_never_written_to(mode, seed, level):
    for before, action, chance, after, events in play(mode, seed, 30, level=level):
        kept = rules.planes(before)
        again, same = rules.apply(mode, before, action, chance)
        np.testing.assert_array_equal(rules.planes(before), kept)
        np.testing.assert_array_equal(rules.planes(again), rules.planes(after))
        assert same == events


def test_walls_stop_the_player():
    after, _ = rules.apply(REGULAR, state(at(1, 1)), UP, words())
    assert after.player == at(1, 1)
    after, _ = rules.apply(REGULAR, state(at(1, 1)), RIGHT, words())
    assert after.player == at(1, 2)


def test_food_and_pill_on_one_cell_are_eaten_together():
    cell = at(1, 2)
    before = state(at(1, 1), food=(cell, at(13, 17)), pills=(cell,))
    after, events = rules.apply(REGULAR, before, RIGHT, words())
    assert (events.food, events.pills, after.power) == (1, 1, 20)
    assert rules.reward(REGULAR, events) == 3


def test_player_and_ghost_do_not_swap_places():
    """They stand side by side and each moves to the other's cell: the ghost is met."""
    before = state(at(3, 5), (at(3, 6), LEFT))
    after, events = rules.apply(REGULAR, before, RIGHT, words((MOVE, STRAIGHT)))
    assert events.caught
    assert after.player == after.ghosts[0].cell == at(3, 6)  # it did not move after that


def test_a_ghost_that_comes_catches():
    before = state(at(3, 5), (at(3, 6), LEFT))
    _, events = rules.apply(REGULAR, before, STAY, words((MOVE, STRAIGHT)))
    assert events.caught
    _, events = rules.apply(REGULAR, before, STAY, words((REST, STRAIGHT)))
    assert not events.caught


def test_a_pill_counts_in_the_step_in_which_it_is_eaten():
    before = state(at(3, 5), (at(3, 6), LEFT), (at(13, 2), LEFT), pills=(at(3, 6),))
    after, events = rules.apply(REGULAR, before, RIGHT, words())
    assert (events.pills, events.ghosts, events.caught) == (1, 1, False)
    assert after.ghosts[0].cell == NOWHERE


def test_power_lasts_twenty_steps_after_the_pill():
    now, _ = rules.apply(REGULAR, state(at(1, 1), pills=(at(1, 2),)), RIGHT, words())
    shades = []
    for _ in range(20):
        shades.append(rules.shade(now.power))
        touching = state(at(3, 5), (at(3, 6), RIGHT), (at(13, 2), LEFT), power=now.power)
        assert rules.apply(REGULAR, touching, RIGHT, words())[1].ghosts == 1
        now, _ = rules.apply(REGULAR, now, STAY, words())
    assert shades == [4] * 5 + [3] * 5 + [2] * 5 + [1] * 5
    assert rules.shade(now.power) == now.power == 0
    assert rules.apply(REGULAR, state(at(3, 5), (at(3, 6), RIGHT)), RIGHT, words())[1].caught


def test_at_most_one_ghost_is_eaten_in_a_step():
    cell = at(3, 6)
    before = state(at(3, 5), (cell, LEFT), (cell, LEFT), (at(3, 7), LEFT), level=5, power=9)
    after, events = rules.apply(REGULAR, before, RIGHT, words())
    assert events.ghosts == 1
    assert [ghost.cell for ghost in after.ghosts] == [NOWHERE, cell, at(3, 7)]
    after, events = rules.apply(REGULAR, after, STAY, words())
    assert events.ghosts == 1
    assert [ghost.cell for ghost in after.ghosts] == [NOWHERE, NOWHERE, at(3, 7)]


@pytest.mark.parametrize(
    ("player", "power", "expected"),
    [
        (at(1, 17), 0, RIGHT),
        (at(1, 17), 5, LEFT),
        (at(11, 9), 0, DOWN),
        (at(11, 9), 5, UP),
        (at(3, 1), 0, LEFT),
        (at(1, 9), 0, UP),
    ],
)
def test_ghosts_steer_to_the_player_and_flee_from_power(player, power, expected):
    """At a crossing of four ways that it has not come to by any of them."""
    crossing = at(3, 4)
    assert bin(OPEN[crossing]).count("1") == 4
    if expected == UP and not power:
        player = at(1, 4)
    before = state(player, (crossing, 0), power=power)
    after, _ = rules.apply(REGULAR, before, STAY, words((MOVE, STRAIGHT)))
    assert after.ghosts[0].direction == expected


def test_ghosts_do_not_turn_back_even_to_the_player():
    before = state(at(3, 2), (at(3, 4), RIGHT))  # right behind it
    after, _ = rules.apply(REGULAR, before, STAY, words((MOVE, STRAIGHT)))
    assert after.ghosts[0].direction != LEFT
    before = state(at(1, 1), (at(1, 3), RIGHT))  # in a corridor
    after, _ = rules.apply(REGULAR, before, STAY, words((MOVE, STRAIGHT)))
    assert after.ghosts[0] == Ghost(at(1, 4), RIGHT)


def test_ghosts_stray_to_all_ways_and_not_with_power():
    crossing, found = at(3, 4), set()
    for low_bits in range(0, 256, 16):
        before = state(at(3, 9), (crossing, RIGHT))
        after, _ = rules.apply(REGULAR, before, STAY, words((MOVE, low_bits)))
        found.add(after.ghosts[0].direction)
        before = state(at(3, 9), (crossing, RIGHT), power=7)
        after, _ = rules.apply(REGULAR, before, STAY, words((MOVE, low_bits)))
        assert after.ghosts[0].direction == UP  # away from the player; up before down
    assert found == {RIGHT, UP, DOWN}


@pytest.mark.parametrize("powered", [0, 1])
@pytest.mark.parametrize("level", range(1, rules.MAX_LEVEL + 1))
def test_chances(level, powered):
    chance = np.random.default_rng(level).integers(2**32, size=200_000, dtype=np.uint32)
    expected = min(0.5 + 0.1 * (level - 1), 1) / (1 + powered)
    found = draws.moves(chance, rules.tempo(level), powered).mean()
    assert found == pytest.approx(expected, abs=0.005)
    assert draws.strays(chance).mean() == pytest.approx(0.05, abs=0.003)
    for ways in (2, 3, 4):
        counts = np.bincount(draws.stray_index(chance[draws.strays(chance)], ways))
        np.testing.assert_allclose(counts / counts.sum(), 1 / ways, atol=0.03)
    counts = np.bincount(draws.index(chance, 100))
    np.testing.assert_allclose(counts / 2000, 1, atol=0.15)


@pytest.mark.parametrize(
    ("before", "modes"),
    [
        (state(at(1, 1), (at(13, 2), LEFT), food=(at(1, 2),)), {"regular", "avoid"}),
        (state(at(1, 1), (at(13, 2), LEFT), pills=(at(1, 2),)), {"rush"}),
        (state(at(1, 1), (at(1, 2), LEFT), power=3), {"hunt", "ambush"}),
        (state(at(1, 1), (at(13, 2), LEFT), level_steps=79), {"hunt", "ambush"}),
        (state(at(1, 1), (at(13, 2), LEFT), level_steps=127), {"hunt", "ambush", "avoid"}),
        (state(at(1, 1), (at(13, 2), LEFT), level_steps=78), set()),
    ],
    ids=["food", "pills", "ghosts", "80 steps", "128 steps", "79 steps"],
)
def test_levels_follow_each_other(before, modes):
    for name, mode in MODES.items():
        after, events = rules.apply(mode, before, RIGHT, words())
        assert events.next_level == (name in modes)
        assert after.level == 1 + events.next_level
        if events.next_level:
            assert (after.level_steps, after.power, after.food.sum()) == (0, 0, len(FREE) - 1)


def test_the_last_level_follows_itself():
    before = state(at(1, 1), food=(at(1, 2),), level=rules.MAX_LEVEL)
    after, events = rules.apply(REGULAR, before, RIGHT, words())
    assert events.next_level
    assert after.level == rules.MAX_LEVEL


def test_being_caught_prevails_over_the_next_level():
    before = state(at(1, 1), (at(1, 2), LEFT), food=(at(1, 2),))
    after, events = rules.apply(REGULAR, before, RIGHT, words())
    assert (events.caught, events.next_level, events.food) == (True, False, 1)
    assert after.level == 1


def test_random_play_comes_across_everything():
    """So that what the properties say is said of something."""
    seen = set()
    for mode, seed in itertools.product(MODES.values(), range(30)):
        for before, _, _, _, events in play(mode, seed, 150, level=1 + seed % 10):
            seen |= {kind for kind in vars(events) if getattr(events, kind)}
            seen |= {"power"} if before.power else set()
    assert seen == {"food", "pills", "ghosts", "caught", "next_level", "power"}
