"""Packed level files: round trips, size, and that no damage goes unnoticed."""

import dataclasses
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.errors import UserError
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.packed import pack_levels, unpack_levels
from tests.environments.games.sokoban.boards import real_levels
from tests.environments.games.sokoban.sound import assert_same, first, sound_levels


def real_set() -> LevelSet:
    return LevelSet.from_levels(real_levels(), "boxoban:a part")


@given(st.lists(sound_levels(), min_size=1, max_size=4), st.text(max_size=5))
def test_levels_survive_packing(levels, source):
    packed = LevelSet.from_levels(levels, source)
    unpacked = unpack_levels(pack_levels(packed), "file")
    assert unpacked.source == source
    assert_same(unpacked, packed)


def test_a_board_with_more_cells_than_a_byte_counts():
    levels = first(real_set(), 3).padded((40, 30))
    assert_same(unpack_levels(pack_levels(levels), "file"), levels)


def test_a_boxoban_level_takes_25_bytes():
    levels = real_set()
    assert len(pack_levels(levels)) - len(pack_levels(first(levels, 100))) == 25 * (
        len(levels) - 100
    )


def test_every_single_changed_byte_is_noticed():
    data = bytearray(pack_levels(first(real_set(), 2)))
    for place in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            data[place] ^= flip
            with pytest.raises(UserError, match=r"^file: "):
                unpack_levels(bytes(data), "file")
            data[place] ^= flip
    unpack_levels(bytes(data), "file")


def test_every_truncation_and_any_appended_byte_is_noticed():
    data = pack_levels(first(real_set(), 2))
    for broken in (*(data[:size] for size in range(len(data))), data + b"\0"):
        with pytest.raises(UserError) as error:
            unpack_levels(broken, "file")
        assert "\n" not in str(error.value)


def test_another_version_is_named():
    data = bytearray(pack_levels(real_set()))
    data[8] = 2
    with pytest.raises(UserError, match="has format 2, this program reads 1"):
        unpack_levels(bytes(data), "file")


def test_levels_that_break_the_rules_are_refused_in_spite_of_a_right_checksum():
    levels = first(real_set(), 5)
    on_a_box = np.flatnonzero(real_levels()[0].boxes)[:1].repeat(5)
    for change in (
        {"boxes": levels.boxes * 0},  # unequal counts
        {"targets": levels.boxes},  # solved
        {"walls": levels.walls | levels.boxes},
        {"player": on_a_box},
    ):
        broken = dataclasses.replace(levels, **change)
        with pytest.raises(UserError, match="breaks the rules"):
            unpack_levels(pack_levels(broken), "file")
    data = bytearray(pack_levels(levels))
    for cell in (64, 255):  # of the last player; there are 64 cells
        data[-5] = cell
        data[-4:] = struct.pack("<I", zlib.crc32(data[:-4]))
        with pytest.raises(UserError, match="breaks the rules"):
            unpack_levels(bytes(data), "file")
