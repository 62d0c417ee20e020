"""The golden playthroughs still come out as they were recorded."""

import pytest

from environments import entries
from tests.environments.playthroughs import record

RECORDED = list(record.traces())


@pytest.mark.parametrize("name", RECORDED)
def test_playthrough(name):
    assert record.playthrough(name) == record.path(name).read_text(), (
        f"{name} has changed: raise its version, then run python -m {record.__name__}"
    )


@pytest.mark.parametrize("name", RECORDED)
def test_playthrough_shows_both_kinds_of_end(name):
    lines = record.path(name).read_text().splitlines()
    ends = [line for line in lines if line.startswith("LAST")]
    assert any(line.endswith("discount 0.0000") for line in ends)
    assert any(line.endswith("discount 1.0000") for line in ends)
    assert f"version {entries()[record.traces()[name][0]].version}" in lines


def test_a_changed_trace_needs_a_raised_version(tmp_path, monkeypatch, capsys):
    old = record.path("sokoban").read_text()
    monkeypatch.setattr(record, "path", lambda name: tmp_path / f"{name}.txt")
    (tmp_path / "sokoban.txt").write_text(old.replace("reward 0.9", "reward 0.8"))
    assert record.main() == 1
    assert "raise the version" in capsys.readouterr().out
    assert "reward 0.8" in (tmp_path / "sokoban.txt").read_text()
    (tmp_path / "sokoban.txt").write_text(old.replace("version ", "version 1"))
    assert record.main() == 0
    assert (tmp_path / "sokoban.txt").read_text() == old
