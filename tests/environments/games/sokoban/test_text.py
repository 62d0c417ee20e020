"""Levels as text: round trips, the fast reader against the careful one, each kind of error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.errors import UserError
from environments.games.sokoban.drawings import drawings
from environments.games.sokoban.level import Level, LevelSet
from environments.games.sokoban.sources import load_levels
from environments.games.sokoban.text import format_levels, parse_uniform, read_text
from tests.environments.games.sokoban.boards import DATA, real_levels
from tests.environments.games.sokoban.sound import assert_same, sound_levels

GOOD = """\
; 0
#####
#@$.#
#####
"""


def parse_levels(text: str) -> list[Level]:
    """The levels of a text, as the careful reader has them; none of them left out."""
    found = read_text(b"\n" + text.encode(), "file")  # the fast one wants a `;` first
    assert not found.left_out
    assert found.levels is not None
    return list(found.levels)


@given(st.lists(sound_levels(), min_size=1, max_size=4))
def test_levels_of_any_sizes_survive_formatting_and_parsing(levels):
    parsed = parse_levels(format_levels(levels))
    assert len(parsed) == len(levels)
    assert_same(LevelSet.from_levels(parsed, ""), LevelSet.from_levels(levels, ""))


@given(st.lists(sound_levels((6, 7)), min_size=1, max_size=4))
def test_the_fast_reader_agrees_with_the_careful_one(levels):
    fast = parse_uniform(format_levels(levels).encode(), "file")
    assert fast is not None
    assert_same(fast, LevelSet.from_levels(levels, ""))


@given(st.lists(sound_levels((5, 6)), min_size=1, max_size=3), st.data())
def test_the_fast_reader_takes_nothing_that_the_careful_one_refuses(levels, data):
    text = format_levels(levels)
    place = data.draw(st.integers(0, len(text) - 1))
    symbol = data.draw(st.sampled_from("#@+$*. -_;x\n"))
    changed = text[:place] + symbol + text[place + 1 :]
    fast = parse_uniform(changed.encode(), "file")
    if fast is not None:
        assert_same(fast, LevelSet.from_levels(parse_levels(changed), ""))


def test_the_fast_reader_leaves_rows_between_levels_to_the_careful_one():
    text = GOOD + "\n" + GOOD + "#####\n" + GOOD
    assert parse_uniform(text.encode(), "file") is None
    assert [len(rows) for rows in drawings(text)] == [3, 4, 3]


@pytest.mark.parametrize("path", sorted(DATA.rglob("[0-9]*.txt")), ids=lambda p: str(p.parent.name))
def test_real_files_are_read_and_written_unchanged(path):
    data = path.read_bytes()
    fast = parse_uniform(data, "file")
    assert fast is not None
    assert fast.shape == (10, 10)
    assert format_levels(fast).encode() == data
    assert_same(fast, LevelSet.from_levels(parse_levels(data.decode()), ""))


def test_all_real_levels_have_four_boxes_off_target():
    levels = real_levels()
    assert len(levels) == 200
    assert all(level.boxes.sum() == level.targets.sum() == 4 for level in levels)
    assert not any(np.any(level.boxes & level.targets) for level in levels)


def test_xsb_with_titles_comments_and_every_floor_symbol():
    text = (
        "A collection, Level #1 of 2\n\n"
        "#######\n#+_-$ #\n#######\nTitle: first\n\n"
        "; second\r\n######\r\n#@$.*#\r\n######\r\n"
    )
    first, second = parse_levels(text)
    assert first.shape == (3, 7)
    assert first.player == (1, 1)
    assert first.targets[1, 1]
    assert second.walls[:, 6].all()  # padded to the first
    assert second.boxes.sum() == second.targets.sum() == 2


def test_floor_outside_the_walls_becomes_wall():
    (level,) = parse_levels("  ####  \n###  ###\n# @$ . #\n########\n--------\n")
    assert level.shape == (4, 8)
    assert level.walls[[0, -1]].all()
    assert level.walls[:, [0, -1]].all()
    assert np.argwhere(~level.walls).tolist() == [[1, 3], [1, 4], *([2, x] for x in range(1, 7))]


def test_an_enclosed_room_that_the_player_cannot_reach_stays_open():
    (level,) = parse_levels("########\n#@$.#  #\n########\n")
    assert not level.walls[1, 5:7].any()


BAD = {
    "no player": (GOOD.replace("@", " "), "2:1: no player"),
    "two players": (GOOD.replace("@$.", "@$@"), "3:4: a second player"),
    "two players, one on target": (GOOD.replace("#@$.", "#@$+"), "3:4: a second player"),
    "boxes != targets": (
        GOOD.replace("#@$.#", "#@$$#"),
        "2:1: boxes and targets differ in this level: 2 and 0",
    ),
    "no box": (GOOD.replace("$", " "), "2:1: no box"),
    "no box within": ("$####\n#@ .#\n#####\n", "1:1: no box"),
    "open border": (GOOD.replace("@$.#", "@$. "), "3:5: open border"),
    "open corner": ("####\n#@ #\n#$.#\n## #\n", "4:3: open border"),
    "a row without its walls": ("####\n@$.\n####\n", "2:1: open border"),
    "short row": (GOOD.replace("@$.#", "@$."), "3:5: open border"),
    "unknown symbol": (GOOD.replace("$", "x"), "3:3: unknown symbol 'x'"),
    "unknown symbol first": ("x####\n#@$.#\n#####\n", "1:1: unknown symbol 'x'"),
    "unknown symbol at a row's start": (GOOD.replace("#@", "é@"), "3:1: unknown symbol"),
    "tab": (GOOD.replace("#@$", "#@$\t"), r"3:4: unknown symbol '\\t'"),
    "commas": ("#,#,#,#,#\n#,@,$,.,#\n#,#,#,#,#\n", "1:2: unknown symbol ','"),
    "solved": (GOOD.replace("$.", "* "), "2:1: this level is solved"),
    "no level": ("; only\na remark\n", "1:1: there is no level"),
    "another alphabet": ("HHHHH\nHiX.H\nHHHHH\n", "1:1: there is no level here; .* '#@+"),
    "blank": ("\n \n", " is empty"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_malformed_level_is_refused_at_its_place(tmp_path, text, message):
    file = tmp_path / "bad.txt"
    file.write_text(text)
    with pytest.raises(UserError, match=f"bad.txt:{message}") as error:
        load_levels(file)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("place", range(len(GOOD)))
@pytest.mark.parametrize("symbol", "x@ ")
def test_any_one_damaged_symbol_is_an_error_or_a_sound_level(place, symbol):
    try:
        (level,) = load_levels(GOOD[:place] + symbol + GOOD[place + 1 :])
    except UserError:
        return
    assert level.boxes.sum() == level.targets.sum() == 1
    assert level.walls[[0, -1]].all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "is empty"),
        (b"\x80\xff\0", "is binary"),
        (b"#\0#", "is binary"),
        (b"\xff\xfe#", "is binary"),
    ],
)
def test_empty_and_binary_files_are_refused(content, message):
    with pytest.raises(UserError, match=f"file: {message}"):
        read_text(content, "file")
