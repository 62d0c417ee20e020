"""Policies that come along: they load, play as well as is said, and serve wherever runs do."""

import json
from pathlib import Path

import pytest

from environments import load
from environments.hints.options import HintOptions
from experiments.registry import experiments
from launch import cli, pretrained
from launch.policy import load_policy

MOST_BYTES = 8 * 2**20  # all of them together: they are part of every clone
DATA = Path(__file__).parents[1] / "data" / "boxoban"
# (suite, episodes, success rate that is surely reached, and that chance does not reach)
REACHED = {
    "sokoban_small": ("small_held_out", 200, 0.85),
    "tic_tac_toe_small": ("random", 200, 0.85),
    "mujoban_tiny_hinted": ("tiny_held_out", 16, 0.6),
    "mujoxo_hinted": ("random", 16, 0.6),
    "drc33": ("unfiltered_valid", 30, 0.7),
}


def test_each_is_tested_and_named_in_the_readme():
    readme = (pretrained.folder("pretrained:sokoban_small").parent / "README.md").read_text()
    assert set(pretrained.names()) == set(REACHED)
    for name in pretrained.names():
        assert f"| `{name}` |" in readme


def test_they_are_small():
    root = pretrained.folder("pretrained:sokoban_small").parent
    assert sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) < MOST_BYTES


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name == "drc33" else []) for name in REACHED],
)
def test_plays_as_well_as_is_said(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MORAVEC_BOXOBAN", str(DATA))
    suite, episodes, least = REACHED[name]
    run = f"pretrained:{name}"
    files = sorted(pretrained.folder(run).rglob("*"))
    assert cli.main(["evaluate", run, "--json", "--suite", suite, f"--episodes={episodes}"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert result["run"] == run
    assert result["episodes"] == episodes
    assert result["rate"] >= least
    assert sorted(pretrained.folder(run).rglob("*")) == files  # nothing is written there
    assert not list(tmp_path.iterdir())


def test_experiments_of_this_version_made_them():
    for name in pretrained.names():
        assert load_policy(f"pretrained:{name}").experiment.name in experiments()


def test_it_gives_hints():
    hints = HintOptions(expert="pretrained:sokoban_small")
    levels = "generated:size=5,boxes=1,count=20,seed=0"
    environment = load("mujoban", seed=0, levels=levels, hints=hints)
    assert environment.reset().observation["hint/present"]
    environment.close()


@pytest.mark.parametrize("name", REACHED)
@pytest.mark.usefixtures("pictures")
def test_a_video_goes_into_the_present_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MORAVEC_BOXOBAN", str(DATA))
    assert cli.main(["watch", f"pretrained:{name}", "--seconds=1", "--size=96"]) == 0
    assert [path.name for path in (tmp_path / "videos").iterdir()] == [f"{name}.mp4"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["evaluate", "pretrained:sokoban_smal"], "did you mean 'sokoban_small'?"),
        (["watch", "pretrained:sokoban_smal"], "did you mean 'sokoban_small'?"),
        (["train", "--init-from", "pretrained:none"], "sokoban_small"),
        (["train", "--resume", "pretrained:sokoban_small"], "give it to --init-from"),
    ],
)
def test_mistakes_are_told_in_one_line(args, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(args) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not list(tmp_path.iterdir())
