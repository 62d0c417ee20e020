"""`moravec bench`, run as a user runs it, but in this process."""

import json

import pytest

from environments.errors import UserError
from experiments.benchmarks import registry
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
