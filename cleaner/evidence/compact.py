"""The byte buffer that all evidence is computed on: lines only, white space folded, one line feed between.

Indentation, trailing blanks, empty lines and the kind of line break differ from scraper to scraper and say
little about a line; removing them once lets every later step run over contiguous bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops
from cleaner.segment.plain import LineTable

LINE_FEED = 0x0A
_SPACE = 0x20

_TO_SPACE = np.arange(256, dtype=np.uint8)
_TO_SPACE[[0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F]] = _SPACE

_FOLD = np.arange(256, dtype=np.uint8)
_FOLD[ord("A") : ord("Z") + 1] += 32
_FOLD[ord("0") : ord("9") + 1] = ord("0")


@dataclass(frozen=True, slots=True, eq=False)
class CompactLines:
    """Lines of a batch on one buffer.

    Attributes:
        raw: uint8 [bytes], the lines in their own case, a line feed before the first and after each.
        folded: uint8 [bytes], the same with ASCII letters in lower case and every digit as 0.
        start, end: int64 [lines], offsets into both; `raw[end]` is a line feed.
    """

    raw: NDArray[np.uint8]
    folded: NDArray[np.uint8]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)


def compact(lines: LineTable) -> CompactLines:
    """Copy the lines of a batch into one buffer with runs of white space as one space."""
    buffer = lines.buffer
    if (fast := loops("text", len(lines))) is not None:
        return CompactLines(*fast.compact(buffer, lines.start, lines.end))
    edge = np.zeros(len(buffer) + 1, dtype=np.int8)
    edge[lines.start] = 1
    edge[lines.end] -= 1
    inside = np.cumsum(edge[:-1], dtype=np.int8).view(bool)

    text = np.where(inside, _TO_SPACE[buffer], np.uint8(LINE_FEED))
    # the no-break space, U+00A0, is C2 A0 in UTF-8 and the commonest of the wide blanks in dumps
    nbsp = np.flatnonzero((text[:-1] == 0xC2) & (text[1:] == 0xA0))
    text[nbsp] = text[nbsp + 1] = _SPACE

    keep = inside
    # of a run of blanks the last one stays; before a line feed none does
    keep[:-1] &= ~((text[:-1] == _SPACE) & ((text[1:] == _SPACE) | (text[1:] == LINE_FEED)))
    keep[0] = True
    keep[lines.end] = True
    place = np.cumsum(keep, dtype=np.int64)
    raw = text[keep]
    start, end = place[lines.start - 1], place[lines.end] - 1
    indented = raw[start] == _SPACE
    if indented.any():  # of a run of blanks at the beginning of a line the last one is still there
        raw = np.delete(raw, start[indented])
        gone = np.cumsum(indented)
        start, end = start - (gone - indented), end - gone
    return CompactLines(raw, _FOLD[raw], start, end)
