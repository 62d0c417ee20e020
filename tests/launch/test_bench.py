"""`moravec bench`, run as a user runs it, but in this process."""

import json
import platform

import jax
import pytest

from environments.errors import UserError
from experiments.benchmarks import registry
from experiments.benchmarks.base import Measurement
from launch import bench_page
from launch.bench import main


def test_without_a_name_lists_benchmarks(capsys):
    assert main([]) == 0
    printed = capsys.readouterr().out
    for name, benchmark in registry.benchmarks().items():
        assert f"  {name:10}{benchmark.summary}" in printed
    assert "--all" in printed


def test_json_document(capsys, monkeypatch):
    monkeypatch.setattr("experiments.benchmarks.levels.COUNT", 5)
    assert main(["levels", "--json"]) == 0
    streams = capsys.readouterr()
    document = json.loads(streams.out)
    assert document
    for each in document:
        assert set(each) == {"name", "metric", "value", "unit", "baseline", "ratio"}
        assert each["name"] == "levels"
        assert each["value"] > 0
    assert "levels: generating" in streams.err


def test_table(capsys, monkeypatch):
    monkeypatch.setattr("experiments.benchmarks.levels.COUNT", 5)
    assert main(["levels"]) == 0
    printed = capsys.readouterr().out
    assert "metric" in printed
    assert "ms/level" in printed


def test_a_page_keeps_what_was_measured_before(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("experiments.benchmarks.levels.COUNT", 5)
    page = tmp_path / "performance.md"
    version = {
        "python": "3.12.1", "packages": {"jax": "1.2.3"},
        "devices": [{"platform": "gpu", "kind": "Fast", "count": 1}],
    }  # fmt: skip
    fast = Measurement("drc", "training", 70_000.0, "frames/s")
    bench_page.write(page, [fast], registry.benchmarks(), version)
    assert main(["levels", "--out", str(page)]) == 0
    once = page.read_text()
    assert main(["levels", "--out", str(page)]) == 0
    for text in (once, page.read_text()):
        cpu, accelerator = text.split("## On an accelerator")
        assert cpu.count("### ") == cpu.count("### levels: generating") == 1
        assert "Goal: at most 10 ms" in cpu
        assert f"Python {platform.python_version()}, jax {jax.__version__}" in cpu
        assert "| 10x10, 4 boxes: median |" in cpu
        assert "Measured on 1 x Fast" in accelerator
        assert "jax 1.2.3" in accelerator
        assert "| training | 70,000 | frames/s |  |  |" in accelerator
        assert accelerator.count("Not measured.") == 2  # drc11 and resnet
    assert len(once.splitlines()) == len(page.read_text().splitlines())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("page.txt", "must be a Markdown file"),
        ("nowhere/page.md", "there is no folder"),
        ("README.md", "is not a page of measurements"),
    ],
)
def test_a_page_that_cannot_be_written_is_refused_before_measuring(name, message, tmp_path, capsys):
    (tmp_path / "README.md").write_text("# Another\n")
    with pytest.raises(UserError, match=message):
        main(["levels", "--out", str(tmp_path / name)])
    assert capsys.readouterr().err == ""
    assert (tmp_path / "README.md").read_text() == "# Another\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["sokban"], "did you mean 'sokoban'?"),
        (["levels", "sokban"], "did you mean 'sokoban'?"),
        (["levels", "--all"], "either names of benchmarks or --all"),
        (["--json"], "name a benchmark, or give --all"),
    ],
)
def test_mistakes_are_told_before_anything_runs(args, message, capsys):
    with pytest.raises(UserError) as caught:
        main(args)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    streams = capsys.readouterr()
    assert streams.out == streams.err == ""


def test_what_others_measured_is_shown_if_one_cannot_run(capsys, monkeypatch):
    monkeypatch.setattr("experiments.benchmarks.levels.COUNT", 5)
    monkeypatch.setattr(
        "experiments.benchmarks.sokoban.import_jumanji", lambda: _raise(UserError("no jumanji"))
    )
    with pytest.raises(UserError, match="no jumanji"):
        main(["sokoban", "levels", "--json"])
    assert {each["name"] for each in json.loads(capsys.readouterr().out)} == {"levels"}


def _raise(error):
    raise error
