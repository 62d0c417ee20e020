"""Walls of a level merged into few rectangles, so that few geoms make them.

A row of the board is a number whose lowest bit is the leftmost cell: whole rows are compared at
once.
"""

from collections.abc import Sequence

Rectangle = tuple[int, int, int, int]  # top, left, bottom, right; the last two exclusive


def rectangles(rows: Sequence[int]) -> list[Rectangle]:
    """Disjoint rectangles that cover exactly the set bits of `rows`.

    Greedy: from the first uncovered cell, row by row, the largest rectangle that starts there.
    """
    left_over, height = list(rows), len(rows)
    found = []
    for top in range(height):
        while left_over[top]:
            first = left_over[top] & -left_over[top]  # the lowest set bit
            best, columns, area, mask = top, 0, 0, -1
            for bottom in range(top, height):
                mask &= left_over[bottom]
                if not mask & first:
                    break
                mask &= ~(mask + first)  # the run of ones from there: it ends where the carry does
                size = mask.bit_count() * (bottom + 1 - top)
                if size > area:
                    best, columns, area = bottom + 1, mask, size
            for row in range(top, best):
                left_over[row] &= ~columns
            left = first.bit_length() - 1
            found.append((top, left, best, left + columns.bit_count()))
    return found
