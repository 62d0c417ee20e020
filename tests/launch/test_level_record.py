"""Runs on levels from files: from any working directory, and never on other levels."""

import dataclasses
import json

import pytest

from environments.errors import UserError
from experiments import registry
from launch import configuration, level_record, run_folder, train
from launch.run_folder import RunFolder
from tests.launch.commands import TINY, moravec

ROW = "#####\n#@$.#\n#####\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with a folder of levels, a file of them, and a trap."""
    (tmp_path / "my levels").mkdir()
    (tmp_path / "my levels" / "a.xsb").write_text(ROW)
    (tmp_path / "suite.txt").write_text(ROW)
    (tmp_path / "hard").write_text(ROW)  # the suite of this name is meant
    monkeypatch.chdir(tmp_path)
    return tmp_path


def experiment(levels: str = "my levels", *suites: str):
    given = registry.load("sokoban_small")
    return dataclasses.replace(
        given,
        environment=dataclasses.replace(given.environment, levels=levels),
        evaluation=dataclasses.replace(given.evaluation, suites=suites),
    )


def begun(folder) -> RunFolder:
    run = run_folder.create(folder)
    given = level_record.with_absolute_paths(experiment("my levels", "suite.txt", "hard"))
    level_record.write(run, given)
    configuration.save(given, run.config)
    return run


def test_paths_are_made_absolute_and_nothing_else(here):
    given = level_record.with_absolute_paths(experiment("my levels", "suite.txt", "hard"))
    assert given == experiment(str(here / "my levels"), str(here / "suite.txt"), "hard")
    assert level_record.with_absolute_paths(given) == given
    generated = registry.load("sokoban_small")
    assert level_record.with_absolute_paths(generated) == generated
    press = registry.load("mujoxo_press")  # its suites are opponents
    assert level_record.with_absolute_paths(press) == press


def test_what_the_files_hold_is_kept(here):
    run = begun(here / "run")
    assert set(json.loads(run.levels.read_text())) == {
        str(here / "my levels"),
        str(here / "suite.txt"),
    }
    level_record.check(run)
    plain = run_folder.create(here / "plain")
    level_record.write(plain, registry.load("sokoban_small"))
    assert not plain.levels.exists()
    level_record.check(plain)
    run_folder.remove_unused(run)
    assert not run.path.exists()


def test_a_run_does_not_go_on_if_its_levels_are_others(here, monkeypatch):
    run = begun(here / "run")
    monkeypatch.chdir("/")
    (here / "my levels" / "b.txt").write_text(ROW)
    with pytest.raises(
        UserError, match=r"my levels, from which .*run takes.* has changed"
    ) as error:
        train.main(["--resume", str(run.path)])
    assert "\n" not in str(error.value)
    (here / "my levels" / "b.txt").unlink()
    level_record.check(run)
    (here / "suite.txt").unlink()
    with pytest.raises(UserError, match=r"suite\.txt, from which .* has gone since"):
        train.main(["--resume", str(run.path)])
    run.levels.write_text("{")
    with pytest.raises(UserError, match="is not JSON"):
        train.main(["--resume", str(run.path)])


@pytest.mark.slow
def test_a_run_goes_on_from_another_working_directory(here, tmp_path_factory):
    (here / "my levels" / "b.xsb").write_text(f"{ROW}\n#####\n#@* #\n#####\n")
    args = ("train", "sokoban_small", *TINY, "--environment.levels", "my levels")
    args += ("--evaluation.suites", "suite.txt", "--max-frames", 200, "--run-dir", "run")
    first = moravec(*args, cwd=here)
    assert first.returncode == 0, first.stderr
    assert "2 levels; left out" in first.stderr
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    resume = ("train", "--resume", here / "run", "--max-frames", 400)
    done = moravec(*resume, cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    assert f"{here}/suite.txt: " in done.stderr
    (here / "suite.txt").write_text(ROW * 2)
    refused = moravec(*resume, cwd=elsewhere)
    assert refused.returncode == 2
    assert "suite.txt, from which" in refused.stderr
