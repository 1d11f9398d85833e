"""Sums over the bytes of each line, four or eight counters at a time.

Counters of 16 or 8 bits ride in one 64-bit integer, so that one pass of `np.add.reduceat` sums several columns.
Stretches are kept short enough that no counter can run into its neighbour, and are then added up line by line;
integers make the result exact, whatever the batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Counters in a word that are wide enough for sums of weights, and for counts of bytes.
WIDE, NARROW = 4, 8
_WORD_BITS = 64


def pack(columns: NDArray[np.integer], lanes: int = WIDE) -> NDArray[np.uint64]:
    """Pack a table of small counts, [rows, columns], into 64-bit words, [ceil(columns / lanes), rows]."""
    rows, width = columns.shape
    padded = np.zeros((rows, -(-width // lanes) * lanes), dtype=_lane_type(lanes))
    padded[:, :width] = columns
    return np.ascontiguousarray(padded.view("<u8").T).astype(np.uint64, copy=False)


def sum_lines(
    table: NDArray[np.uint64],
    index: NDArray[np.integer],
    start: NDArray[np.int64],
    largest: int,
    lanes: int = WIDE,
) -> NDArray[np.int64]:
    """Sum the rows of a packed table that `index` names, line by line.

    Args:
        table: [words, rows], from `pack`.
        index: [items], the row each item stands for.
        start: [lines], the first item of each line, rising; a line ends where the next begins.
        largest: the largest single count in the table; it bounds how many items one counter can take.
        lanes: as the table was packed.

    Returns:
        int64 [lines, lanes * words], the sums.
    """
    words = len(table)
    if not len(start):
        return np.zeros((0, words * lanes), dtype=np.int64)
    most = (1 << _WORD_BITS // lanes) - 1
    stretch, line_first = _stretches(start, len(index), most // largest)
    sums = np.empty((len(stretch), words), dtype=np.uint64)
    at, weights = index.astype(np.intp), np.empty(len(index), dtype=np.uint64)
    for word in range(words):
        np.take(table[word], at, out=weights, mode="clip")  # every index is one of the table: "clip" spares the check
        sums[:, word] = np.add.reduceat(weights, stretch)
    counters = sums.astype("<u8").view(_lane_type(lanes))
    if len(stretch) == len(start):
        return counters.astype(np.int64)
    return np.add.reduceat(counters, line_first, axis=0, dtype=np.int64)


def _lane_type(lanes: int) -> str:
    return f"<u{_WORD_BITS // lanes // 8}"


def _stretches(start: NDArray[np.int64], items: int, longest: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut lines into stretches of at most `longest` items: their starts, and each line's first stretch."""
    length = np.diff(start, append=items)
    count = np.maximum(1, -(-length // longest))
    line_first = np.cumsum(count) - count
    within = np.arange(count.sum()) - np.repeat(line_first, count)
    return np.repeat(start, count) + within * longest, line_first
