"""Where the body of a document stands: its heaviest stretch, its densest neighbourhood, its size.

Windows see a line's surroundings; what tells an article from the comments or teasers under it is which stretch
of the whole document holds the body. All sums are over integers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops
from cleaner.evidence.context import running
from cleaner.evidence.shape import LARGEST, log_steps, log_table
from cleaner.segment.plain import LineTable

#: How the lines of a stretch are summed: what each counts as, and the probability of body (of 127) from which on
#: a line adds to a stretch rather than takes from it.
_STRETCHES = (("words", 64), ("lines", 64), ("words", 90), ("words", 25))
_STRETCH_FEATURES = ("inside", "lines outside", "share of all", "depth", "log lines")
_RADII = (3, 10, 30)
_LONG_LINE = 20

FEATURES: tuple[str, ...] = (
    *(f"{name} of the heaviest stretch by {by} over {cut}" for by, cut in _STRETCHES for name in _STRETCH_FEATURES),
    *(f"{name} within {radius}" for radius in _RADII for name in ("body beside the document's densest", "log body")),
    "log lines in the document", "log words in the document", "share of words in long lines",
)  # fmt: skip


def block_features(lines: LineTable, body: NDArray[np.int32], words: NDArray[np.int64]) -> NDArray[np.int8]:
    """Place each line in relation to the stretches of its document that are likely body.

    Args:
        lines: the batch.
        body: int32 [lines], how likely each line is body, from 0 to 127.
        words: int64 [lines], how many words each line has.

    Returns:
        int8 [lines, len(FEATURES)].
    """
    if not len(lines):
        return np.zeros((0, len(FEATURES)), dtype=np.int8)
    if (fast := loops("lines", len(lines))) is not None:
        by_words = np.array([by == "words" for by, _ in _STRETCHES])
        cuts = np.array([cut for _, cut in _STRETCHES])
        described: NDArray[np.int8] = fast.blocks(
            body, words, lines.first, by_words, cuts, np.array(_RADII), _LONG_LINE, log_table()
        )
        return described
    some = np.maximum(words, 1)
    columns: list[NDArray[np.number]] = []
    for by, cut in _STRETCHES:
        gain = (body - cut) * (some if by == "words" else 1)
        columns += _heaviest_stretch(lines, gain.astype(np.int64))
    columns += _densities(lines, body * words)
    columns += _sizes(lines, words)
    return np.stack([np.clip(np.rint(column), -LARGEST, LARGEST).astype(np.int8) for column in columns], axis=1)


def _heaviest_stretch(lines: LineTable, gain: NDArray[np.int64]) -> list[NDArray[np.number]]:
    """The stretch of each document with the largest sum of gains, and where each line stands to it.

    Kadane's algorithm (Bentley 1984, Programming Pearls) on prefix sums, for all documents at once; for text
    extraction as in body text extraction (Finn, Kushmerick and Smyth 2001).
    """
    document, first = lines.document, lines.first
    filled = np.flatnonzero(first[1:] > first[:-1])
    begin = first[filled]
    here = np.arange(len(gain))
    sums = np.cumsum(gain)
    low = first[document]
    after = sums - (sums - gain)[low]
    before = after - gain
    # a drop between documents larger than any sum keeps the running minimum from reaching back
    drop = 2 * int(np.abs(after).max() + np.abs(gain).max()) + 1
    lowest = np.minimum.accumulate(before - document * drop) + document * drop
    total = after - lowest

    place = np.searchsorted(filled, document)  # the line's document among those that have lines
    best = np.maximum.reduceat(total, begin)
    end = np.minimum.reduceat(np.where(total == best[place], here, len(gain)), begin)
    starts = (before == lowest[end][place]) & (here <= end[place])
    start = np.maximum.reduceat(np.where(starts, here, -1), begin)
    end = np.where(best > 0, end + 1, begin)  # without any gain the stretch is empty
    start = np.where(best > 0, start, begin)

    from_start, to_end = here - start[place], end[place] - 1 - here
    inside = (from_start >= 0) & (to_end >= 0)
    gains = np.maximum(np.add.reduceat(np.maximum(gain, 0), begin), 1)
    return [
        LARGEST * inside,
        2.0 * log_steps(np.maximum(-from_start, 0)) - 2.0 * log_steps(np.maximum(-to_end, 0)),
        (LARGEST * np.maximum(best, 0) // gains)[place],
        2.0 * log_steps(np.where(inside, np.minimum(from_start, to_end), 0)),
        log_steps(end - start)[place],
    ]


def _densities(lines: LineTable, mass: NDArray[np.int64]) -> list[NDArray[np.number]]:
    sums = running(mass)
    here = np.arange(len(mass))
    low, high = lines.first[lines.document], lines.first[lines.document + 1]
    filled = np.unique(low)
    place = np.searchsorted(filled, low)
    columns: list[NDArray[np.number]] = []
    for radius in _RADII:
        near = sums[np.minimum(here + radius + 1, high)] - sums[np.maximum(here - radius, low)]
        densest = np.maximum(np.maximum.reduceat(near, filled)[place], 1)
        columns += [LARGEST * near // densest, log_steps(near // 64)]
    return columns


def _sizes(lines: LineTable, words: NDArray[np.int64]) -> list[NDArray[np.number]]:
    sums, long = running(words), running(words * (words >= _LONG_LINE))
    low, high = lines.first[lines.document], lines.first[lines.document + 1]
    total = sums[high] - sums[low]
    return [log_steps(high - low), log_steps(total), LARGEST * (long[high] - long[low]) // np.maximum(total, 1)]
