"""Levels as people write them: every style reads back as the same levels, and titles are titles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.games.sokoban.drawings import drawings
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.sources import load_levels
from environments.games.sokoban.text import format_level, read_text
from tests.environments.games.sokoban.sound import assert_same, sound_levels

ROW = "#####\n#@$.#\n#####"
TITLES = (
    "Title: Warm-up #2",
    "Author: André",
    "Comment: as in `#@$.#`, says he",
    "Level #3",
    "## Level 1",
    "### The end ###",
    "#1",
    "# 12 #",
    "#A",
    "# bob",
    "1",
    "*** Level 1 ***",
    "* * *",
    "...and the first one",
    "$100 puzzle",
    "@home",
    "-----",
    "_ _ _",
    "=====",
    "################",
    "; a remark",
    ";",
    "lurRRdLu",
    "Solution: 3R2(lu)D",
    "12R|3l",
    "\f",
    "\x1a",
)


def test_titles_part_levels_wherever_they_stand():
    for title in TITLES:
        for text in (f"{ROW}\n{title}\n\n{ROW}", f"{title}\n\n{ROW}\n\n{title}\n\n{ROW}\n{title}"):
            assert [len(rows) for rows in drawings(text)] in ([3, 3], [4, 3], [3, 4]), title
            assert len(load_levels(text)) == 2


@pytest.mark.parametrize("title", [title for title in TITLES if "####" not in title])
def test_titles_need_no_blank_lines_about_them(title):
    text = f"{title}\n{ROW}\n{title}\n{ROW}\n{title}"
    assert [len(rows) for rows in drawings(text)] == [3, 3]


@pytest.mark.parametrize(
    "text",
    [
        "#####\n; a remark\n#@$.#\n#####",
        "5#|#@$.#|5#",
        "5#\n#@$.#\n5#",
        "5#|#@$.#\n|5#|",
        "*###*\n#@$.#\n*###*",
        "*###*\n#@$.# $.\n*###*",
        "#####\n#pbo#\n#####",
        "##### \n#@$.#\t\n#####\u00a0",
        "\t#####\n\t#@$.#\n\t#####",
        "\f#####\n\u00a0#@$.#\n #####",
        "--#####\n--#@$.#\n--#####",
        "#####\r#@$.#\r#####\r",
        "<L>#####</L>\n<L>#@$.#</L>\n<L>#####</L>",
        '<?xml?><Level Id="#1" Width="5"><l>#####</l><l>#@$.#</l><l>#####</l></Level>',
    ],
)
def test_one_level_in_many_ways(text):
    (level,) = load_levels(text + "\n")
    assert int((~level.walls).sum()) == 3
    assert level.walls[:, -1].all()
    row, column = level.player
    assert level.boxes[row, column + 1]
    assert level.targets[row, column + 2]


def test_what_follows_a_ruler_is_no_part_of_the_level():
    levels = load_levels("#####\n#@$.#\n#####\n-\n#####\n#####\n")
    assert len(levels) == 1
    assert [line[:21] for line in levels.left_out] == ["levels:5:1: no player"]


def test_levels_of_an_slc_file_are_told_apart_wherever_lines_end():
    level = f"<Level>{''.join(f'<L>{row}</L>' for row in ROW.split())}</Level>"
    assert len(load_levels(f"<LevelCollection>{level}{level}\n{level}</LevelCollection>")) == 3
    assert len(load_levels("\n".join(f"<L>{row}</L>" for row in ROW.split()))) == 1


@st.composite
def written(draw: st.DrawFn, levels: list) -> bytes:
    """Levels in one of the styles that are about."""
    text = "".join(
        f"{draw(st.sampled_from(['', *TITLES]))}\n\n{styled(draw, format_level(level))}\n"
        for level in levels
    )
    if draw(st.booleans()):
        text = "".join(in_slc(format_level(level)) for level in levels)
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"])))
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])))


def styled(draw: st.DrawFn, drawing: str) -> str:
    rows = drawing.splitlines()
    style = draw(st.sampled_from(["as it is", "counted", "letters", "ragged", "floor"]))
    if style == "counted":
        rows = [counted(row.replace(" ", "-")) for row in rows]
        return "|".join(rows) + "\n" if draw(st.booleans()) else "\n".join(rows) + "\n"
    if style == "letters":
        rows = [row.translate(str.maketrans("@+$*.", "pPbBo")) for row in rows]
    if style == "ragged":
        ends = st.sampled_from(["", " ", "\t", "  \t ", "-", "*", " $."])
        rows = [row + draw(ends) for row in rows]
    if style == "floor":
        rows = [row.replace(" ", draw(st.sampled_from("-_\u00a0"))) for row in rows]
    return "\n".join(rows) + "\n"


def in_slc(drawing: str) -> str:
    rows = "".join(f"    <L>{row}</L>\n" for row in drawing.splitlines())
    return f'  <Level Id="a #level#" Width="1" Height="1">\n{rows}  </Level>\n'


def counted(row: str) -> str:
    """A row with run lengths."""
    parts: list[str] = []
    for symbol in row:
        if parts and parts[-1][-1] == symbol:
            parts[-1] = f"{int(parts[-1][:-1] or 1) + 1}{symbol}"
        else:
            parts.append(symbol)
    return "".join(parts)


@given(st.data(), st.lists(sound_levels(), min_size=1, max_size=3))
def test_levels_read_back_the_same_in_whatever_style_they_are_written(data, levels):
    found = read_text(data.draw(written(levels)), "file")
    assert found.left_out == ()
    assert found.levels is not None
    assert len(found.levels) == len(levels)
    height, width = (max(level.shape[i] for level in levels) for i in (0, 1))
    assert found.levels.shape[0] == height
    assert width <= found.levels.shape[1] <= width + 3  # ornament widens it
    assert_same(found.levels, LevelSet.from_levels(levels, "").padded(found.levels.shape))
