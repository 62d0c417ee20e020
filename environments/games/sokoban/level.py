"""A Sokoban level, and a set of them packed as bits.

Shape letters: `L` levels, `H, W` board, `K` 32-bit words that hold H*W bits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np


@dataclass(frozen=True, eq=False)
class Level:
    """One start position. The border is closed: no open cell can reach the board's edge."""

    walls: np.ndarray  # [H, W] bool
    targets: np.ndarray  # [H, W] bool
    boxes: np.ndarray  # [H, W] bool
    player: tuple[int, int]  # row, column

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = self.walls.shape
        return height, width


def num_words(shape: tuple[int, int]) -> int:
    """How many 32-bit words hold one bit for each cell of a board of this shape."""
    return -(-shape[0] * shape[1] // 32)


def pack_bits(boards: np.ndarray) -> np.ndarray:
    """Packs `[L, H, W] bool` into `[L, K] uint32`: cell i is bit i % 32 of word i // 32."""
    count, height, width = boards.shape
    bits = np.zeros((count, num_words((height, width)) * 32), bool)
    bits[:, : height * width] = boards.reshape(count, -1)
    return np.packbits(bits, axis=1, bitorder="little").view("<u4").astype(np.uint32)


def unpack_bits(words: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The inverse of `pack_bits`: `[L, K] uint32` to `[L, H, W] bool`."""
    height, width = shape
    octets = np.ascontiguousarray(words.astype("<u4")).view(np.uint8)
    bits = np.unpackbits(octets, axis=1, bitorder="little", count=height * width)
    return bits.reshape(len(words), height, width).astype(bool)


@dataclass(frozen=True, eq=False)
class LevelSet(Sequence[Level]):
    """Many levels of one board size, in order. `levels[i]` is a `Level`; slices are level sets."""

    source: str  # the level source that it came from
    shape: tuple[int, int]  # H, W
    walls: np.ndarray  # [L, K] uint32, see pack_bits
    targets: np.ndarray  # [L, K] uint32
    boxes: np.ndarray  # [L, K] uint32
    player: np.ndarray  # [L] int32, row * W + column
    left_out: tuple[str, ...] = ()  # for each level of the source that cannot be used: where, why

    @classmethod
    def from_levels(cls, levels: Iterable[Level], source: str) -> "LevelSet":
        """Levels of different sizes are padded with walls, below and to the right, to the largest.

        Raises ValueError if there is no level.
        """
        levels = list(levels)
        if not levels:
            raise ValueError("a level set holds at least one level")
        height = max(level.shape[0] for level in levels)
        width = max(level.shape[1] for level in levels)
        boards = np.zeros((3, len(levels), height, width), bool)
        boards[0] = True
        for i, level in enumerate(levels):
            h, w = level.shape
            boards[:, i, :h, :w] = level.walls, level.targets, level.boxes
        player = [level.player[0] * width + level.player[1] for level in levels]
        return cls(
            source,
            (height, width),
            *(pack_bits(plane) for plane in boards),
            player=np.array(player, np.int32),
        )

    def __len__(self) -> int:
        return len(self.player)

    @overload
    def __getitem__(self, index: int) -> Level: ...

    @overload
    def __getitem__(self, index: slice) -> "LevelSet": ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            return LevelSet(
                self.source,
                self.shape,
                self.walls[index],
                self.targets[index],
                self.boxes[index],
                self.player[index],
            )
        if not -len(self) <= index < len(self):
            raise IndexError(f"level {index} of {len(self)}")
        row = slice(index, index + 1) if index != -1 else slice(-1, None)
        walls, targets, boxes = (
            unpack_bits(words[row], self.shape)[0]
            for words in (self.walls, self.targets, self.boxes)
        )
        player = int(self.player[index])
        return Level(walls, targets, boxes, divmod(player, self.shape[1]))

    def padded(self, shape: tuple[int, int]) -> "LevelSet":
        """The same levels on a larger board, walls below and to the right.

        Raises ValueError if `shape` is smaller than the levels are.
        """
        if shape == self.shape:
            return self
        (height, width), (old_height, old_width) = shape, self.shape
        if height < old_height or width < old_width:
            raise ValueError(
                f"levels of {old_height}x{old_width} do not fit a {height}x{width} board"
            )
        widths = ((0, 0), (0, height - old_height), (0, width - old_width))
        planes = [
            pack_bits(np.pad(unpack_bits(words, self.shape), widths, constant_values=fill))
            for words, fill in ((self.walls, True), (self.targets, False), (self.boxes, False))
        ]
        player = self.player // old_width * width + self.player % old_width
        walls, targets, boxes = planes
        return replace(
            self,
            shape=shape,
            walls=walls,
            targets=targets,
            boxes=boxes,
            player=player.astype(np.int32),
        )
