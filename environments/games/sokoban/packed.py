"""Packed level files (`.levels`): many levels of one size in one binary file, 25 bytes for 10x10.

magic, version, H, W, count, length of source      20 bytes, little-endian
source                                             UTF-8
walls, targets, boxes                              each [L, ceil((H-2)(W-2) / 8)] uint8: one bit
                                                   a cell within the border, row by row
player                                             [L] uint8, uint16 or uint32: its cell likewise
CRC-32 of all before                               4 bytes
"""

import struct
import zlib

import numpy as np

from environments.errors import UserError
from environments.games.sokoban.level import LevelSet, pack_bits, unpack_bits
from environments.games.sokoban.text import regular

MAGIC = b"MRVCLEV\0"
VERSION = 1
_HEADER = struct.Struct("<8sHHHIH")


def pack_levels(levels: LevelSet) -> bytes:
    """The bytes of a packed level file."""
    height, width = levels.shape
    source = levels.source.encode()[:65535]
    masks = []
    for words in (levels.walls, levels.targets, levels.boxes):
        inside = unpack_bits(words, levels.shape)[:, 1:-1, 1:-1].reshape(len(levels), -1)
        masks.append(np.packbits(inside, axis=1, bitorder="little").tobytes())
    row, column = np.divmod(levels.player, width)
    player = ((row - 1) * (width - 2) + column - 1).astype(_player_type(height, width))
    header = _HEADER.pack(MAGIC, VERSION, height, width, len(levels), len(source))
    body = b"".join((header, source, *masks, player.tobytes()))
    return body + struct.pack("<I", zlib.crc32(body))


def _player_type(height: int, width: int) -> np.dtype:
    return np.dtype(np.min_scalar_type((height - 2) * (width - 2) - 1)).newbyteorder("<")


def unpack_levels(data: bytes, name: str) -> LevelSet:
    """The inverse of `pack_levels`; `name` is what errors call the file.

    Raises UserError if it is no packed level file, or is damaged.
    """
    again = "make it again with `moravec levels pack`"
    if data[: len(MAGIC)] != MAGIC:
        raise UserError(f"{name}: is not a packed level file; {again}")
    if len(data) < _HEADER.size:
        raise UserError(f"{name}: is truncated; {again}")
    _, version, height, width, count, source_size = _HEADER.unpack_from(data)
    if version != VERSION:
        raise UserError(f"{name}: has format {version}, this program reads {VERSION}; {again}")
    cells = max(height - 2, 0) * max(width - 2, 0)
    octets, player_type = -(-cells // 8), _player_type(height, width) if cells else np.dtype("u1")
    start = _HEADER.size + source_size
    sizes = [count * octets] * 3 + [count * player_type.itemsize]
    if len(data) != start + sum(sizes) + 4 or not cells or not count:
        raise UserError(f"{name}: is damaged or truncated: {len(data)} bytes; {again}")
    if zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise UserError(f"{name}: is damaged: its checksum does not match; {again}")
    bounds = np.cumsum([start, *sizes])
    boards = np.zeros((3, count, height, width), bool)
    boards[0] = True
    for board, offset in zip(boards, bounds[:3], strict=True):
        mask = np.frombuffer(data, np.uint8, count * octets, offset).reshape(count, octets)
        bits = np.unpackbits(mask, axis=1, bitorder="little", count=cells)
        board[:, 1:-1, 1:-1] = bits.reshape(count, height - 2, width - 2)
    inside = np.frombuffer(data, player_type, count, bounds[3]).astype(np.int32)
    player = (inside // (width - 2) + 1) * width + inside % (width - 2) + 1
    blocked = (boards[0] | boards[2]).reshape(count, -1)
    if inside.max() >= cells or blocked[np.arange(count), player].any() or not regular(*boards):
        raise UserError(f"{name}: holds a level that breaks the rules; {again}")
    source = data[_HEADER.size : start].decode(errors="replace")
    planes = (pack_bits(board) for board in boards)
    return LevelSet(source, (height, width), *planes, player=player.astype(np.int32))
