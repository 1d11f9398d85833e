"""Sums over the bytes of each line, four counters at a time.

Four 16-bit counters ride in one 64-bit integer, so that one pass of `np.add.reduceat` sums four columns.
Stretches are kept short enough that no counter can run into its neighbour, and are then added up line by line;
integers make the result exact, whatever the batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LANES = 4
_LANE_BITS = 16
_LANE_MAX = (1 << _LANE_BITS) - 1


def pack(columns: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Pack a table of small counts, [rows, columns], into 64-bit words, [ceil(columns / 4), rows]."""
    rows, width = columns.shape
    padded = np.zeros((rows, -(-width // LANES) * LANES), dtype="<u2")
    padded[:, :width] = columns
    return np.ascontiguousarray(padded.view("<u8").T).astype(np.uint64)


def sum_lines(
    table: NDArray[np.uint64], index: NDArray[np.integer], start: NDArray[np.int64], largest: int
) -> NDArray[np.int64]:
    """Sum the rows of a packed table that `index` names, line by line.

    Args:
        table: [words, rows], from `pack`.
        index: [items], the row each item stands for.
        start: [lines], the first item of each line, rising; a line ends where the next begins.
        largest: the largest single count in the table; it bounds how many items one counter can take.

    Returns:
        int64 [lines, 4 * words], the sums.
    """
    words = len(table)
    if not len(start):
        return np.zeros((0, words * LANES), dtype=np.int64)
    stretch, line_first = _stretches(start, len(index), _LANE_MAX // largest)
    sums = np.empty((len(stretch), words), dtype=np.uint64)
    for word in range(words):
        sums[:, word] = np.add.reduceat(table[word][index], stretch)
    lanes = sums.astype("<u8").view("<u2").astype(np.int64)
    if len(stretch) == len(start):
        return lanes
    return np.add.reduceat(lanes, line_first, axis=0)


def _stretches(start: NDArray[np.int64], items: int, longest: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut lines into stretches of at most `longest` items: their starts, and each line's first stretch."""
    length = np.diff(start, append=items)
    count = np.maximum(1, -(-length // longest))
    line_first = np.cumsum(count) - count
    within = np.arange(count.sum()) - np.repeat(line_first, count)
    return np.repeat(start, count) + within * longest, line_first
