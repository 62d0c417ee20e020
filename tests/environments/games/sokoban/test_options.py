"""Options as users give them, and levels that are loaded once for all worlds."""

import time
from pathlib import Path

import pytest

from environments import load
from environments.errors import UserError
from environments.games.sokoban.registration import SokobanOptions

ROW = "#####\n#@$.#\n#####\n"


def test_options_are_taken_as_people_write_them():
    given = SokobanOptions(
        levels=Path("a", "b.txt"),  # pyright: ignore[reportArgumentType]
        board=10,  # pyright: ignore[reportArgumentType]
        observations="planes",  # pyright: ignore[reportArgumentType]
        time_limit=50,  # pyright: ignore[reportArgumentType]
    )
    assert given == SokobanOptions(str(Path("a", "b.txt")), (10, 10), ("planes",), (50, 50))
    listed = SokobanOptions(board=[3, 4], observations=["planes"])  # pyright: ignore[reportArgumentType]
    assert listed == SokobanOptions(board=(3, 4))
    assert hash(listed) == hash(SokobanOptions(board=(3, 4)))


@pytest.mark.parametrize("field", ["levels", "board", "observations", "time_limit"])
@pytest.mark.parametrize("value", [None, 1.5, (1.5, 60), (1, 2, 3), {"a": 1}, (), b"x"])
def test_options_of_a_wrong_kind_are_refused_in_one_line(field, value):
    with pytest.raises(UserError, match=f"^{field} must ") as error:
        SokobanOptions(**{field: value})
    assert "\n" not in str(error.value)


def test_levels_may_be_drawn_in_place():
    environment = load("sokoban", levels=ROW, board=6)
    assert environment.reset().observation["planes"].shape == (6, 6, 4)


@pytest.mark.parametrize(("game", "worlds"), [("sokoban", 8), ("mujoban", 2)])
def test_many_worlds_read_their_levels_once(tmp_path, monkeypatch, game, worlds):
    file, reads, read = tmp_path / "a.txt", [], Path.read_bytes

    def counted(path):
        reads.append(path)
        return read(path)

    file.write_text(ROW)
    monkeypatch.setattr(Path, "read_bytes", counted)
    held = [load(game, levels=file, seed=seed) for seed in range(worlds)]
    assert reads == [file]
    for world in held:
        world.close()


def test_another_world_on_levels_that_are_in_use_costs_next_to_nothing():
    source = "generated:size=8,boxes=2,count=500,seed=0"
    begin = time.process_time()
    first = load("sokoban", levels=source, seed=0)
    loading = time.process_time() - begin
    begin = time.process_time()
    for seed in range(20):
        load("sokoban", levels=source, seed=seed)
    assert time.process_time() - begin < loading  # of 20
    first.close()


def test_levels_too_large_to_embed_are_left_out(tmp_path, caplog):
    wide = f"{'#' * 24}\n#@$.{' ' * 19}#\n{'#' * 24}\n"
    file = tmp_path / "a.txt"
    file.write_text(f"{wide}\n{ROW}")
    environment = load("mujoban", levels=str(file))
    assert environment.num_levels == 1  # pyright: ignore[reportAttributeAccessIssue]
    environment.close()
    assert "1 level; left out" in caplog.text
    assert f"{file}:1:1: levels of 3x24 do not fit a 20x20 board" in caplog.text
