"""A replay whose disk is full for a while: run on a small file system, given its folder."""

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from environments.errors import UserError
from launch.replay.server import ReplayServer
from launch.replay.writer import ItemWriter
from tests.launch.replay.items import items, never, spec, uniform

WIDTH = 20_000  # of a core: 80 kB an item that cannot be compressed


def fill(ballast: Path) -> None:
    """Leaves no space on the disk."""
    with open(ballast, "wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def main(mounted: Path) -> None:
    """Saves, cannot save, saves; says how many items are in the last checkpoint."""
    folder, ballast = mounted / "replay", mounted / "ballast"
    data = uniform(samples_per_insert=3.0, min_size=50)
    server = ReplayServer(data, spec(WIDTH), capacity=100, checkpoints=folder)
    writer = ItemWriter(f"localhost:{server.port}", spec(WIDTH))
    assert writer.write(items_of(0, 5), never)
    server.save()
    there = files(folder)
    assert writer.write(items_of(5, 10), never)
    fill(ballast)
    for _ in range(2):
        with pytest.raises(UserError) as raised:
            server.save()
        assert str(raised.value) == (
            f"cannot write {folder}: no space left on device; free some space and try again"
        )
        assert files(folder) == there
    ballast.unlink()
    server.save()
    assert sorted(path.name for path in folder.iterdir()) == [".reverb", "0", "1"]
    writer.close()
    server.close()
    again = ReplayServer(data, spec(WIDTH), capacity=100, checkpoints=folder)
    print("items", again.fill())
    again.close()


def items_of(first: int, end: int):
    """Items of these numbers, `WIDTH` wide."""
    return items(*range(first, end), width=WIDTH)


def files(folder: Path) -> dict[Path, bytes]:
    """All that is below."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
