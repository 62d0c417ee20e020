"""`moravec levels solve`: counts, solutions in the players' notation, mistakes, Ctrl-C."""

import json
import signal
import time

import pytest

from environments.errors import UserError
from environments.games.sokoban import rules
from environments.games.sokoban.sources import load_levels
from environments.players.sokoban.solver import solve
from launch.levels import main
from launch.solving import lurd
from tests.environments.games.sokoban.boards import DATA
from tests.environments.players.sokoban.test_solver import hard_one
from tests.launch.commands import moravec, started, wait_for_line

MIXED = "######\n#$@ .#\n######\n\n######\n#@$ .#\n######\n\n######\n#@ .$#\n######\n"
ACTIONS = {letter: action for action, letter in enumerate("udlr")}


def test_json_and_solutions(tmp_path, capsys):
    out = tmp_path / "hard.lurd"
    assert main(["solve", str(DATA / "hard"), "--json", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    levels = load_levels(str(DATA / "hard"))
    lines = out.read_text().splitlines()
    lengths = [len(solve(level).actions) for level in levels]
    assert [len(line) for line in lines] == lengths
    for level, line in zip(levels, lines, strict=True):
        state = rules.initial_state(level)
        for letter in line:
            after = rules.apply(state, ACTIONS[letter.lower()])
            assert letter.isupper() == (after.boxes is not state.boxes)
            state = after
        assert rules.solved(state)
    assert found.pop("seconds") > 0
    moves = found.pop("moves")
    assert (moves["min"], moves["max"]) == (min(lengths), max(lengths))
    assert moves["mean"] == pytest.approx(sum(lengths) / 30)
    assert found == {
        "source": str(DATA / "hard"),
        "levels": 30,
        "height": 10,
        "width": 10,
        "solved": 30,
        "unsolvable": 0,
        "gave_up": 0,
        "unsolvable_levels": [],
        "gave_up_levels": [],
        "out": str(out),
    }


def test_unsolvable_levels_are_named_in_one_line(tmp_path, capsys):
    source, out = tmp_path / "levels.txt", tmp_path / "solutions.txt"
    source.write_text(MIXED)
    assert main(["solve", str(source), "--out", str(out)]) == 0
    streams = capsys.readouterr()
    (line,) = (line for line in streams.out.splitlines() if line.startswith("  unsolvable"))
    assert "2: levels 0, 2 (the first is 0)" in line
    assert "solved      1\n" in streams.out
    assert "solving 3 levels" in streams.err
    assert out.read_text() == "\nRR\n\n"


def test_no_solution_at_all(tmp_path, capsys):
    source = tmp_path / "levels.txt"
    source.write_text("######\n#$@ .#\n######\n")
    assert main(["solve", str(source), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["moves"] is None


def test_giving_up(tmp_path, capsys):
    from environments.games.sokoban.text import format_levels

    source = tmp_path / "levels.txt"
    source.write_text(format_levels([hard_one()]))
    assert main(["solve", str(source), "--seconds", "0.1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["gave_up"], found["gave_up_levels"]) == (1, [0])


def test_notation():
    (level,) = load_levels("generated:size=5,boxes=1,count=1,seed=0")
    plan = solve(level).actions
    assert lurd(level, plan).lower() == "".join("udlr"[action] for action in plan)
    assert lurd(level, ()) == ""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["{}/missing"], "is no file or folder"),
        (["{}/a.txt"], "no box"),
        (["{}/a.txt", "--out", "{}/b.json"], r"must end in .txt or .lurd"),
        (["{}/a.txt", "--out", "{}/a.txt"], "exists already"),
        (["{}/a.txt", "--out", "{}/no/b.txt"], "there is no folder"),
        (["{}/a.txt", "--seconds", "0"], "--seconds must be more than 0, not 0"),
        (["{}/a.txt", "--seconds", "nan"], "--seconds must be more than 0, not nan"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(tmp_path, args, message):
    (tmp_path / "a.txt").write_text("#####\n#@ .#\n#####\n")
    with pytest.raises(UserError, match=message) as error:
        main(["solve", *(arg.format(tmp_path) for arg in args)])
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_ctrl_c_ends_it_at_once_and_writes_nothing(tmp_path):
    from environments.games.sokoban.text import format_levels

    source, out = tmp_path / "levels.txt", tmp_path / "out.txt"
    source.write_text(format_levels([hard_one()] * 40))
    with started("levels", "solve", source, "--out", out, "--seconds", 600) as process:
        wait_for_line(process, "solving 40 levels")
        time.sleep(0.5)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert time.monotonic() - begin < 20
        assert process.stderr is not None
        assert process.stderr.read() == "moravec: interrupted\n"
    assert not out.exists()


def test_command_line():
    done = moravec("levels", "solve", DATA / "medium" / "valid", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["solved"] == found["levels"]
