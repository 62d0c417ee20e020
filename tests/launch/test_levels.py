"""`moravec levels`, run as a user runs it, but in this process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from environments.errors import UserError
from environments.games.sokoban.sources import load_levels
from environments.games.sokoban.text import format_levels
from launch.levels import main
from tests.environments.games.sokoban.boards import DATA
from tests.environments.games.sokoban.sound import assert_same

SOURCE = "generated:size=6,boxes=1,count=5,seed=0"


def test_generate_prints_levels(capsys):
    assert main(["generate", SOURCE]) == 0
    assert capsys.readouterr().out == format_levels(load_levels(SOURCE))


def test_generate_prints_one_json_document(capsys):
    assert main(["generate", SOURCE, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    boards = printed.pop("boards")
    assert printed == {"source": SOURCE, "levels": 5, "height": 6, "width": 6}
    text = "".join(f"; {k}\n" + "\n".join(rows) + "\n\n" for k, rows in enumerate(boards))
    assert text == format_levels(load_levels(SOURCE))


@pytest.mark.parametrize("suffix", [".levels", ".txt", ".xsb"])
def test_generate_writes_a_file_that_can_be_loaded(tmp_path, capsys, suffix):
    out = tmp_path / f"some{suffix}"
    assert main(["generate", SOURCE, "--out", str(out)]) == 0
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "5 levels written" in streams.err
    assert_same(load_levels(str(out)), load_levels(SOURCE))


def test_pack_and_check_real_levels(tmp_path, capsys):
    out = tmp_path / "hard.levels"
    assert main(["pack", str(DATA / "hard"), "--out", str(out), "--json"]) == 0
    packed = json.loads(capsys.readouterr().out)
    assert packed["levels"] == 30
    assert packed["bytes"] == out.stat().st_size
    assert main(["check", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["source"] == str(out)
    assert (found["levels"], found["height"], found["width"]) == (30, 10, 10)
    assert found["boxes"] == {"mean": 4.0, "min": 4, "max": 4}
    text = "".join(
        line for line in (DATA / "hard" / "000.txt").read_text().splitlines() if line[:1] != ";"
    )
    assert found["walls"]["mean"] == text.count("#") / 30
    assert found["open_cells"]["mean"] == (3000 - text.count("#")) / 30
    assert found["duplicates"] == {"exact": 0, "puzzle": 0}


def test_check_counts_duplicates(tmp_path, capsys):
    file = tmp_path / "levels.txt"
    boards = ("######\n#@$ .#\n######", "######\n#@$ .#\n######", "######\n#. $@#\n######")
    file.write_text("\n\n".join(boards))
    assert main(["check", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["duplicates"] == {"exact": 1, "puzzle": 2}
    assert main(["check", str(file)]) == 0
    assert "duplicates  1 exact, 2 turned" in capsys.readouterr().out


MIXED = "#####\n#@$.#\n#####\n\n#####\n#@* #\n#####\n\n#####\n#@$ #\n#####\n"


def test_check_lists_what_is_left_out(tmp_path, capsys, caplog):
    file = tmp_path / "levels.txt"
    file.write_text(MIXED)
    places = (f"{file}:5:1: this level is solved already", f"{file}:9:1: boxes and targets differ")
    assert main(["check", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(lines[i].startswith(f"left out: {place}") for i, place in enumerate(places))
    assert "  levels      1, and 2 left out" in lines
    assert main(["check", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["levels"] == 1
    assert [line[: len(place)] for line, place in zip(found["left_out"], places, strict=True)] == [
        *places
    ]
    assert not caplog.messages  # it is said once
    with pytest.raises(UserError, match=r"5:1: this level is solved already \(and 1 more\)"):
        main(["check", str(file), "--strict"])
    file.write_text(MIXED[len("#####\n") :])
    with pytest.raises(UserError, match=r"levels.txt:1:2: open border.*\(and 2 more\)"):
        main(["check", str(file)])
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize("args", [["pack", "{}", "--out", "{}.levels"], ["solve", "{}"]])
def test_commands_say_once_that_levels_are_left_out(tmp_path, caplog, args):
    file = tmp_path / "levels.txt"
    file.write_text(MIXED)
    assert main([arg.format(file) for arg in args]) == 0
    (warning,) = caplog.messages
    assert f"1 level; left out: {file}:5:1" in warning


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["generate", "boxoban:hard"], "is nothing to generate: write generated:"),
        (["generate", SOURCE, "--out", "{}/levels.zip"], "must end in .levels or .txt"),
        (["generate", SOURCE, "--out", "{}/no/a.levels"], "there is no folder"),
        (["pack", SOURCE, "--out", "{}/levels.txt"], "must end in .levels"),
        (["check", "{}"], "holds no level files"),
        (["check", "{}/missing"], "is no file or folder"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(tmp_path, args, message):
    with pytest.raises(UserError, match=message) as error:
        main([arg.format(tmp_path) for arg in args])
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_never_overwritten(tmp_path):
    out = tmp_path / "mine.levels"
    out.write_text("precious")
    for command in ("generate", "pack"):
        with pytest.raises(UserError, match="exists already"):
            main([command, SOURCE, "--out", str(out)])
    assert out.read_text() == "precious"


def test_a_disk_that_is_full_costs_one_line_and_leaves_nothing(tmp_path):
    out = tmp_path / "many.levels"
    code = (
        "import resource, signal, sys\n"
        "from environments.errors import UserError\n"
        "from launch.levels import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: main(sys.argv[1:])\n"
        "except UserError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, "pack", str(DATA / "hard"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert str(out) in done.stdout
    assert done.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder nobody can write to")
def test_a_folder_that_cannot_be_written_to_costs_one_line():
    with pytest.raises(UserError, match=r"/proc/self/a\.levels") as error:
        main(["pack", str(DATA / "hard"), "--out", "/proc/self/a.levels"])
    assert "\n" not in str(error.value)


def test_a_missing_command_or_option_exits_with_2(capsys):
    for args in ([], ["solved"], ["pack", SOURCE], ["check"]):
        with pytest.raises(SystemExit) as stop:
            main(args)
        assert stop.value.code == 2
