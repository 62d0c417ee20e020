"""The level generator: sound, solvable levels, the same everywhere, in splits that never meet."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments.errors import UserError
from environments.games.sokoban import rules
from environments.games.sokoban.generator import generate
from environments.games.sokoban.level import Level, LevelSet
from environments.games.sokoban.sources import load_levels
from environments.games.sokoban.symmetry import hashes
from environments.games.sokoban.text import format_levels
from tests.environments.games.sokoban.sound import assert_same, first, sound_levels


def solution_length(level: Level) -> int | None:
    """The fewest moves that solve a level, by breadth-first search; None if none does."""
    start = rules.initial_state(level)
    seen, frontier, moves = {(start.player, start.boxes.tobytes())}, [start], 0
    while frontier:
        if any(rules.solved(state) for state in frontier):
            return moves
        moves += 1
        frontier = [
            after
            for state in frontier
            for after in (rules.apply(state, action) for action in range(4))
            if (key := (after.player, after.boxes.tobytes())) not in seen and not seen.add(key)
        ]
    return None


def puzzle(level: Level) -> int:
    return hashes(LevelSet.from_levels([level], ""))[1].item()


def puzzles(levels: LevelSet) -> set[int]:
    return set(hashes(levels)[1].tolist())


def image(level: Level, which: int) -> Level:
    """One of the eight symmetric images of a level."""
    spots = np.zeros(level.shape, bool)
    spots[level.player] = True
    boards = [
        np.rot90(board, which % 4) for board in (level.walls, level.targets, level.boxes, spots)
    ]
    walls, targets, boxes, spots = (board.T if which >= 4 else board for board in boards)
    row, column = np.argwhere(spots)[0]
    return Level(walls, targets, boxes, (int(row), int(column)))


@settings(max_examples=30)
@given(
    st.integers(4, 12),
    st.integers(4, 12),
    st.integers(1, 5),
    st.integers(0, 2**63 - 1),
    st.sampled_from(("train", "held_out")),
)
def test_generated_levels_are_sound(height, width, boxes, seed, split):
    try:
        levels = generate(height, width, boxes, 3, seed, split)
    except UserError as error:
        assert (height - 2) * (width - 2) < 20, error  # noqa: PT017 - crowded boards may run out
        return
    assert len(levels) == 3
    assert levels.shape == (height, width)
    # The parser refuses open borders, second players, unequal counts and solved levels.
    assert_same(load_levels(format_levels(levels)), levels)
    for level in levels:
        assert level.boxes.sum() == boxes
        assert not np.any(level.boxes & level.targets)
        assert not level.targets[level.player]


@pytest.mark.parametrize(("size", "boxes", "count"), [(6, 1, 300), (6, 2, 40), (7, 2, 10)])
def test_generated_levels_can_be_solved(size, boxes, count):
    found = [solution_length(level) for level in generate(size, size, boxes, count, seed=3)]
    lengths = [length for length in found if length is not None]
    assert len(lengths) == count
    assert np.std(lengths) > 2  # easy and hard ones
    assert np.mean(lengths) > 5


def test_a_level_that_cannot_be_solved_is_seen_as_such():
    (level,) = load_levels("#####\n#@ .#\n#$  #\n#####\n")
    assert solution_length(level) is None


def test_the_same_seed_gives_the_same_levels_on_every_machine():
    text = format_levels([*generate(6, 6, 1, 100, 0), *generate(10, 10, 4, 5, 7, "held_out")])
    assert hashlib.sha256(text.encode()).hexdigest() == GOLDEN


GOLDEN = "7d0cbef1a155a05877b9865d38a771190e5565239f971ac12c112434d39fd7b0"


def test_a_smaller_set_is_the_beginning_of_a_larger_one():
    many = generate(7, 7, 2, 300, 5)
    assert_same(generate(7, 7, 2, 100, 5), first(many, 100))
    assert_same(generate(7, 7, 2, 1, 5), first(many, 1))


def test_seeds_differ():
    assert len(puzzles(generate(8, 8, 3, 20, 0)) & puzzles(generate(8, 8, 3, 20, 1))) == 0


def test_no_level_comes_twice():
    levels = generate(6, 6, 1, 10_000, 0)
    assert len(np.unique(hashes(levels)[0])) == len(levels)
    assert len({format_levels([level]) for level in levels}) == len(levels)


@pytest.mark.parametrize(("size", "boxes", "count"), [(5, 1, 300), (6, 1, 3000), (7, 2, 500)])
def test_training_and_held_out_sets_share_no_puzzle_whatever_the_seeds(size, boxes, count):
    train = [puzzles(generate(size, size, boxes, count, seed)) for seed in (0, 1)]
    held_out = [
        puzzles(generate(size, size, boxes, count // 4, seed, "held_out")) for seed in (0, 1)
    ]
    assert train[0] & train[1]  # the same puzzles do come again within a split
    assert not (train[0] | train[1]) & (held_out[0] | held_out[1])


def test_boards_of_different_sizes_share_no_puzzle_across_splits():
    assert not puzzles(generate(6, 6, 1, 3000, 0)) & puzzles(generate(5, 5, 1, 60, 0, "held_out"))


@given(sound_levels(), st.integers(0, 7), st.data())
def test_a_puzzle_is_the_same_turned_mirrored_shifted_and_with_its_player_elsewhere(
    level, which, data
):
    twin = image(level, which)
    assert puzzle(twin) == puzzle(level)
    border = data.draw(st.tuples(*[st.integers(0, 3)] * 4))
    widths = (border[:2], border[2:])
    walls = np.pad(twin.walls, widths, constant_values=True)
    targets, boxes = np.pad(twin.targets, widths), np.pad(twin.boxes, widths)
    row, column = data.draw(st.sampled_from(np.argwhere(~(walls | boxes)).tolist()))
    assert puzzle(Level(walls, targets, boxes, (row, column))) == puzzle(level)


@given(sound_levels(), st.data())
def test_a_changed_puzzle_is_another_one(level, data):
    symmetric = {
        twin.walls.tobytes() + twin.targets.tobytes() + twin.boxes.tobytes() + bytes(twin.shape)
        for twin in (image(level, which) for which in range(8))
    }
    boards = [level.walls.copy(), level.targets.copy(), level.boxes.copy()]
    changed = boards[data.draw(st.integers(1, 2))]
    row = data.draw(st.integers(1, level.shape[0] - 2))
    column = data.draw(st.integers(1, level.shape[1] - 2))
    changed[row, column] ^= True
    if level.walls[row, column] or b"".join(b.tobytes() for b in boards) in symmetric:
        return
    assert puzzle(Level(*boards, player=level.player)) != puzzle(level)


def test_too_few_levels_of_a_kind_are_reported_at_once():
    with pytest.raises(UserError, match="of 1000 distinct train levels turned up"):
        generate(4, 4, 1, 1000, 0)
    with pytest.raises(UserError, match="only 0 of 1 "):
        generate(5, 5, 4, 1, 0)
